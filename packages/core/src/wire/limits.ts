/** Bounds on everything that comes from outside (WF1 to WF6); each is listed in docs/LIMITS.md. */

/** Largest frame on a channel, in bytes (WF1). 64 KiB is one WebRTC message on every browser; the rest is framing. */
export const MAX_FRAME_BYTES = 65_536
/** Largest text of one message, in UTF-8 bytes (WF2): leaves room in a frame for headers, ratchet and envelope. */
export const MAX_TEXT_BYTES = 49_152
/** Largest reaction, in UTF-8 bytes (WF12): an emoji joined of ten code points has 40. */
export const MAX_EMOJI_BYTES = 64
/** Longest time until a message disappears, in seconds (WF12): a year. */
export const MAX_DISAPPEAR_S = 31_622_400
/** Longest name somebody claims, in characters (WF3): two lines on a phone. */
export const MAX_NAME_CHARS = 64
/** Devices in one account (WF3): every message is sealed once for each. */
export const MAX_DEVICES = 16
/** Devices that a list remembers as taken out, the latest (DV4): older ones are in no list that anybody still shows. */
export const MAX_REVOKED = 16
/** Prekey bundles of other devices in a card (DV9): 1.4 KiB each, and a card is to fit MAX_CARD_BYTES. */
export const MAX_CARD_BUNDLES = 3
/** Relays in a card (WF3). */
export const MAX_RELAYS = 8
/** Longest relay URL, in characters (WF3): an invite of 200 characters must hold it. */
export const MAX_URL_CHARS = 120
/** Delivery tags handed out at once (WF9): 40 days, and room for more. */
export const MAX_TAGS = 64
/** Acknowledged ids in one frame (WF4). */
export const MAX_ACKNOWLEDGED = 512
/** Presences repeated in one frame (WF5): about 16 KiB. */
export const MAX_HEARD = 64
/** Largest value left in a card drop, in bytes (WF6). */
export const MAX_CARD_BYTES = 8_192
/** Largest record in the DHT, in bytes (WF6). */
export const MAX_RECORD_BYTES = 4_096
/** One tag in an announcement on the local network, in bytes (LD2): 2^64 tags, of which a network sees a few thousand. */
export const LAN_TAG_BYTES = 8
/** Tags in one announcement (LD3). */
export const MAX_LAN_TAGS = 128
/** Largest announcement on the local network, in bytes (LD3): one datagram on any network that carries IPv6 (RFC 8200 §5), with room for mDNS. */
export const MAX_LAN_BYTES = 1_100
/** Rights to fetch shown in one frame of `/skein/mailbox/1` (MB8): 25 KiB; more go into another frame. */
export const MAX_FETCH_RIGHTS = 256
/** Envelopes in one reply (MB8). */
export const MAX_MAIL_BATCH = 512
/** Envelopes deleted by one request (MB8). */
export const MAX_FORGOTTEN = 1_024
/** Tokens asked for at once (MB8): a tenth of a second of the relay's time. */
export const MAX_TOKENS_AT_ONCE = 16
/** Tokens that a contact hands over at once (MB8). */
export const MAX_GRANTED_TOKENS = 64
/** Messages that one receipt names, each for delivered and read (RC1). */
export const MAX_RECEIPTS = 512
/** Largest manifest of a file, in bytes (FI1): goes through the ratchet to every device, with every carrier. */
export const MAX_MANIFEST_BYTES = 4_096
/** Largest picture in a manifest, in bytes (FI36): what is left of it beside the longest name. */
export const MAX_THUMBNAIL_BYTES = 3_072
/** Files and folders in one transfer (FI5): a source tree with all that it depends on. */
export const MAX_FOLDER_ENTRIES = 200_000
/** Largest list of a folder, in bytes (FI5): of that many entries in deep folders, 160 bytes each. */
export const MAX_LIST_BYTES = 33_554_432
/** Runs of missing chunks in one request (FI6): at most 40 KiB; what is left is asked for next. */
export const MAX_MISSING_RUNS = 4_096
/** Sequence numbers that are asked for at once (DL19). */
export const MAX_MISSING = 256
/** Messages and what was said about them in one page of history, each (DV12). */
export const MAX_HISTORY_PAGE = 256
/** Contacts in one word between own devices (DV11): a card has at most 6 KiB. */
export const MAX_OWN_CONTACTS = 64
/** Messages one word of an own device names as seen, or as not. */
export const MAX_OWN_SEEN = 1_024
/** Largest piece of a file that is left in mailboxes, in bytes (FI34): with all that is around it, an envelope of 64 KiB. */
export const MAX_FILE_PIECE_BYTES = 57_344
/** Pieces of one file (FI34): MAX_MAILED_BYTES of files/limits.ts, and what seals add. */
export const MAX_FILE_PIECES = 20
/** Words about files of one contact that wait for being dealt with, in bytes (FI35): further ones are dropped, what they tell of goes the direct way. */
export const MAX_FILE_WORDS_BYTES = 8_388_608
