/** Bounds of file transfers; each is listed in docs/LIMITS.md. */

/** Largest content of one transfer, in bytes (FI2): hashes of its chunks fit 32 MiB. */
export const MAX_CONTENT_BYTES = 2 ** 40
/** Chunk of content up to LARGE_CONTENT_BYTES, in bytes (FI8): little is sent again after an interruption. */
export const SMALL_CHUNK_BYTES = 262_144
/** Chunk of larger content and of streams, in bytes (FI8); what comes through a pipe is a stream from there on (FI70). */
export const LARGE_CHUNK_BYTES = 1_048_576
export const LARGE_CONTENT_BYTES = 2 ** 24
/** What sealing adds to a chunk, in bytes: the tag of AES-256-GCM. */
export const CHUNK_TAG_BYTES = 16
/** Sealed bytes on their way without credit for more (FI13), at first and on short paths. */
export const WINDOW_BYTES = 4_194_304
/** The same where several devices send at once (FI41): what is on its way from one is left to nobody else. A large chunk fits: with less none would ever be whole. */
export const SHARED_WINDOW_BYTES = LARGE_CHUNK_BYTES + CHUNK_TAG_BYTES
/** The same where answers take long (FI13): 100 MB/s over 300 ms. */
export const MAX_WINDOW_BYTES = 33_554_432
/** WebRTC resets a stream with 4 MiB unread; this much less waits there at most (FI13). */
export const WEBRTC_WINDOW_BYTES = 3_145_728
/** Sealed chunks that are made ahead of what is sent. */
export const MADE_AHEAD = 6
/** Chunks that a thread has been told to send, or to receive, and has not yet; it holds few of them at a time. */
export const ORDERED_AHEAD = 16
/** Sealed chunks kept for other recipients of the same content, in bytes. */
export const SHARED_BYTES = 33_554_432
/** A source that nobody uses stays open so long, ms: for a recipient that asks once more. */
export const SOURCE_RESTS_MS = 30_000
/** Transfers that are fetched at once (FI22); the rest waits for its turn. */
export const MAX_FETCHING = 3
/** Places in that queue that are told (FI22); who is further back is said to have the last of them. */
export const MAX_PLACES_TOLD = 20
/** For one that is fetched to stand still, ms, before the next has its turn (FI22): hashing 30 GB takes so long. */
export const QUIET_MS = 60_000
/** Parts of transfers that wait for their sender and are held open (FI15), two files each; others are read and hashed again. */
export const MAX_KEPT_SINKS = 16
/** Chunks that are read and hashed before others have their turn: about 10 ms. */
export const CHUNKS_PER_TURN = 8
/** Streams of one device that are served at once (FI22); a further one is closed, and tried again. */
export const MAX_SERVING = 16
/** Tries running that fail in a way that nobody knows before a transfer is paused (FI62): 8 s, as of a file that another page still has open. */
export const MAX_ODDITIES = 5
/** Offers of one contact that wait for the user's yes (FI21); more are refused. */
export const MAX_OFFERS = 1_000
/** Longest segment of a path, in UTF-8 bytes (FI17): what every file system of today takes, with room for a number. */
export const MAX_SEGMENT_BYTES = 240
/** Deepest path in a folder, in segments (FI17). */
export const MAX_DEPTH = 64
/** For what is under way to come when its recipient has paused it (FI24), ms. */
export const LEAVE_WITHIN_MS = 1_000
/** Less than this is not worth a raw connection, in bytes (FI26). */
export const BULK_FROM_BYTES = 2_097_152
/** How long a raw connection may take before chunks begin to come on the channel (FI43), ms. */
export const RAW_HEAD_START_MS = 1_000
/** Waits before a raw connection that failed is tried again (FI43), ms; twice as long each time. */
export const RAW_RETRY_MS = { first: 1_000, most: 300_000 } as const
/** Devices that one content is fetched from at once (FI41). */
export const MAX_SOURCES = 5
/** Less than this is left to one source, in bytes (FI41). */
export const SHARE_FROM_BYTES = 524_288
/** Between two looks whether a source is so slow that others had better do its work (FI41), ms. */
export const LOOK_AGAIN_MS = 1_000
/** For a source to show how fast it is (FI41), ms. */
export const MEASURED_AFTER_MS = 5_000
/** For a raw connection to say which request it is for, ms. */
export const BULK_NAMED_WITHIN_MS = 10_000
/** For the request itself to come, ms: chunks that were asked for on the channel come there first (FI43). */
export const BULK_HELD_MS = 60_000
/** Raw connections of one device whose request has not come yet. */
export const MAX_UNCLAIMED = 16
/** Between two reports of progress, ms. */
export const PROGRESS_EVERY_MS = 250
/** Between two commits of progress, ms. */
export const KEEP_EVERY_MS = 1_000
/** Waits between tries to reach the other side, ms; who appears is tried at once. */
export const RETRY_MS = { first: 500, most: 30_000 } as const
/** Largest content that is left in mailboxes, with a folder's list, in bytes (FI34): 19 envelopes. */
export const MAX_MAILED_BYTES = 1_048_576
/** Content left for one device in a day, in bytes (FI34): a quarter of what a mailbox holds under a tag (MB5); the rest is for texts. */
export const MAX_MAILED_DAY_BYTES = 4_194_304
/** What was said about files that nobody knows is kept so long, ms (FI35): mail lies no longer than 31 days. */
export const FORGET_WORDS_MS = 40 * 86_400_000
/** How long what has come by mail may be followed by its end, ms: a mailbox gives one after the other. */
export const FOLLOWED_WITHIN_MS = 500
/** Times that what has changed is offered anew (FI37): what is written to all the time is not sent for ever. */
export const MAX_ANEW = 3
/** Before that, ms: for whoever writes to it. */
export const ANEW_AFTER_MS = 2_000
/** What its sender has not offered anew within this, ms, is no longer said to be: it may be gone, or its sender off. */
export const ANEW_WITHIN_MS = 60_000
/** What failed so shortly before a start, ms, and was not offered anew, is then: nobody waits for what is older. */
export const ANEW_AT_START_MS = 86_400_000
/** What it may have grown beyond twice its size and still be accepted without asking, in bytes (FI37). */
export const GROWN_BYTES = 1_048_576
/** What comes of one contact in a day without asking, at most: so often what may come at once (FI50). */
export const UNASKED_DAY_TIMES = 10
/** What each file and folder counts for beside its bytes where nobody is asked (FI50): a block of a disk. */
export const UNASKED_ENTRY_BYTES = 4_096
/** Ends of offers that have not come yet, the latest of them (FI24). */
export const MAX_EARLY = 1_000
/** Transfers that have ended are shown so long, ms (FI40). */
export const SHOW_ENDED_MS = 90 * 86_400_000
/** What nobody knows any more is looked for so often, and at a start, ms (FI40). */
export const TIDY_EVERY_MS = 86_400_000
/** Chunks of one transfer that have come by the mesh in part (ME29): 1 MiB each. */
export const MAX_HALF_CHUNKS = 8
/** Lists of folders whose content is to come by the mesh, kept at once (ME29): each at most MAX_LIST_BYTES, seldom more than 100 KiB. */
export const MAX_KEPT_LISTS = 4
/** Between two words to a sender that is reached by the mesh alone (ME29), ms; twice as long each time, while nothing comes. */
export const ASK_MESH_MS = { first: 20_000, most: 600_000 } as const
/** Runs of missing chunks in one such word (ME29): 10 KiB at most; what is left is asked for next. */
export const MAX_WISHED_RUNS = 1_024
/** For the first part of an answer by the mesh (ME29), ms, and between two: meanwhile the transfer keeps its turn. */
export const MESH_ANSWER_MS = 2_000
export const MESH_QUIET_MS = 15_000
/** For a transfer to be looked after when something comes for it by the mesh (ME29), ms; what comes is not confirmed then. */
export const MESH_TAKEN_UP_MS = 10_000
/** Parts of one file on their way by a route at first and at most (ME30), 256 KiB each: neighbours queue 4 MiB, messages among them. */
export const MESH_WINDOW = { first: 2, most: 12 } as const
/** A proof later than this makes the window smaller, one sooner than half of it larger (ME30), ms: messages wait as long behind files. */
export const MESH_SLOW_MS = 1_000
/** Parts of files handed to the mesh, in bytes a second (ME30): neighbours read 16 MiB (ME19). */
export const MESH_BYTES_PER_S = 14 * 1_048_576
/** Files that are sent by the mesh at the same time (ME30). */
export const MAX_CARRIAGES = 64
/** Since a message was written or came, ms, in which files give way (FI52): longer than one takes on a busy machine. */
export const GIVE_WAY_MS = 250
/** What files take meanwhile, in bytes a second each way (FI52): a chunk of 1 MiB in 42 ms, some tenth of two processor cores at both ends. */
export const GIVE_WAY_BYTES_PER_S = 25_000_000
