/** The typed local API: commands, queries and one event stream, served by a client and used by every interface. */
import { eventIterator, oc } from '@orpc/contract'
import * as z from 'zod/mini'
import { ConfigSchema, MAX_EXPIRE_MS } from '../config-schema.ts'
import { DeviceStateView, MessageState, OutboxView, SentMessage, StatesView, WaitState } from './delivery-contract.ts'
import { deviceContract } from './device-contract.ts'
import { MeshInput, MeshView } from './mesh-contract.ts'
import { DoctorView, InviteView, PATHS, WhyView } from './network-contract.ts'
import { TransferView } from './transfer-contract.ts'

export { DeviceStateView, MeshView, OutboxView, SentMessage, StatesView, TransferView, WaitState }
export { CheckedProofView, DeviceView, JoinStep, LinkStep } from './device-contract.ts'
export { DoctorView, NatView, WhyView } from './network-contract.ts'

const Instant = z.int()

export const HistoryMessage = z.object({
  id: z.string(),
  direction: z.enum(['in', 'out']),
  /** `gone`: it has disappeared, and stands in `changed` events alone. `unknown`: of a newer version of the program. */
  kind: z.enum(['text', 'contact', 'timer', 'file', 'unknown', 'gone']),
  /** As last edited; the name of a shared contact; empty once deleted. */
  text: z.string(),
  reply_to: z.nullable(z.string()),
  /** Account id of a contact that was shared. */
  shared: z.nullable(z.string()),
  /** From reading; of a timer: what later texts have. */
  disappear_after_ms: z.nullable(z.int()),
  disappears_at: z.nullable(Instant),
  edited_at: z.nullable(Instant),
  deleted_at: z.nullable(Instant),
  own_reaction: z.nullable(z.string()),
  contact_reaction: z.nullable(z.string()),
  /** Whether the user has seen it; of one's own always. */
  seen: z.boolean(),
  /** Where it stands in the conversation: milliseconds, then counter, then id. What comes late belongs before newer ones. */
  order: z.object({ ms: z.int(), counter: z.int() }),
  state: MessageState,
  /** Why it failed: a code. */
  reason: z.nullable(z.string()),
  created_at: Instant,
  received_at: z.nullable(Instant),
})
export type HistoryMessage = z.infer<typeof HistoryMessage>

/** `changed`: verified once, and other devices or keys have come since; sending is refused until `verify` decides. */
const Trust = z.enum(['unverified', 'verified', 'changed'])

export const ContactView = z.object({
  contact: z.string(),
  name: z.string(),
  claimed_name: z.string(),
  state: z.enum(['pending', 'requested', 'accepted']),
  online: z.boolean(),
  last_seen: z.nullable(Instant),
  trust: Trust,
  blocked: z.boolean(),
  muted: z.boolean(),
})
export type ContactView = z.infer<typeof ContactView>

/** How a device is reached, best first. */
export const PeerView = z.object({
  contact: z.nullable(z.string()),
  name: z.string(),
  device: z.string(),
  online: z.boolean(),
  last_seen: z.nullable(Instant),
  path: z.enum(PATHS),
  /** The user has asked for contact, and no yes has come. */
  asked: z.boolean(),
})
export type PeerView = z.infer<typeof PeerView>

export const StatusView = z.object({
  account: z.string(),
  device: z.string(),
  name: z.string(),
  pid: z.number(),
  addresses: z.array(z.string()),
  relays: z.array(z.object({ url: z.string(), connected: z.boolean(), reserved: z.boolean(), gives_places: z.boolean() })),
  /** Whether this client can serve the web client to the local network. */
  serves_page: z.boolean(),
  /** By how much this device's clock is ahead of its relays', ms; `null` while none has said. */
  clock_ahead_ms: z.nullable(z.number()),
})
export type StatusView = z.infer<typeof StatusView>

/** What is accepted of a contact without asking; null: nothing. */
const AutoAcceptView = z.nullable(z.object({ max_bytes: z.int().check(z.gte(0)), folder: z.string() }))

export const ClientEvent = z.discriminatedUnion('event', [
  /** `muted`: the user does not want to be called for it. */
  z.object({ event: z.literal('message'), contact: z.string(), name: z.string(), muted: z.boolean(), message: HistoryMessage }),
  z.object({
    event: z.literal('state'),
    contact: z.string(),
    id: z.string(),
    state: MessageState,
    reason: z.nullable(z.string()),
    delivered_at: z.nullable(Instant),
  }),
  /** A message was edited, taken back or reacted to, or has disappeared. */
  z.object({ event: z.literal('changed'), contact: z.string(), message: HistoryMessage }),
  /** A file was offered, moves on, or has ended. */
  z.object({ event: z.literal('transfer'), ...TransferView.shape }),
  /** For a few seconds, unless it comes again. */
  z.object({ event: z.literal('typing'), contact: z.string(), active: z.boolean() }),
  /** The user has seen messages, here or in another window. */
  z.object({ event: z.literal('seen'), contact: z.string(), unread: z.int() }),
  /** The conversation was deleted, here or on another device of the account. */
  z.object({ event: z.literal('cleared'), contact: z.string() }),
  /** Messages with these contacts have come that another device of the account had. */
  z.object({ event: z.literal('history'), contacts: z.array(z.string()) }),
  /** The account has other devices; `revoked`: this one was taken out. */
  z.object({ event: z.literal('devices'), revoked: z.boolean() }),
  z.object({ event: z.literal('presence'), contact: z.nullable(z.string()), device: z.string(), online: z.boolean() }),
  z.object({ event: z.literal('contact'), contact: z.string(), name: z.string(), state: z.enum(['pending', 'requested', 'accepted']) }),
  z.object({
    event: z.literal('keys'),
    contact: z.string(),
    name: z.string(),
    trust: Trust,
    added: z.array(z.string()),
    changed: z.array(z.string()),
    removed: z.array(z.string()),
  }),
])
export type ClientEvent = z.infer<typeof ClientEvent>

export const ConversationView = z.extend(ContactView, {
  last: z.nullable(HistoryMessage),
  /** 0 to 999. */
  unread: z.int(),
})
export type ConversationView = z.infer<typeof ConversationView>

export const SettingsView = z.pick(ConfigSchema, {
  name: true,
  relays: true,
  visibility: true,
  readReceipts: true,
  expireMs: true,
  filesFolder: true,
})
export type SettingsView = z.infer<typeof SettingsView>

const TransferInput = z.object({ transfer: z.string() })
const Recipients = z.array(z.string().check(z.minLength(1), z.maxLength(200))).check(z.minLength(1), z.maxLength(64))
const Path = z.string().check(z.minLength(1), z.maxLength(4_096))
const Transfers = z.object({ transfers: z.array(TransferView) })
const ContactInput = z.object({ contact: z.string().check(z.minLength(1), z.maxLength(200)) })

export const contract = {
  ...deviceContract,
  status: oc.output(StatusView),
  /** `here`: by the page that this client serves to the local network, for who has no Skein yet. */
  invite: oc.input(z.optional(z.object({ here: z.optional(z.boolean()) }))).output(InviteView),
  /** One invite, or all that are open. */
  revoke: oc
    .input(z.object({ invite: z.optional(z.string().check(z.minLength(1), z.maxLength(400))) }))
    .output(z.object({ revoked: z.number() })),
  add: oc
    .input(
      z.object({
        invite: z.string().check(z.minLength(1), z.maxLength(400)),
        name: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
      }),
    )
    .output(z.object({ contact: z.string(), name: z.string(), state: z.enum(['pending', 'accepted']) })),
  /** Asks somebody nearby for contact; `contact` is null while nothing is known of them but the device. */
  ask: oc
    .input(z.object({ device: z.string().check(z.minLength(1), z.maxLength(100)) }))
    .output(z.object({ contact: z.nullable(z.string()), name: z.string(), state: z.enum(['pending', 'accepted']) })),
  contacts: oc.output(z.object({ contacts: z.array(ContactView) })),
  change: oc
    .input(
      z.extend(ContactInput, {
        name: z.optional(z.string().check(z.minLength(1), z.maxLength(64))),
        blocked: z.optional(z.boolean()),
        muted: z.optional(z.boolean()),
      }),
    )
    .output(ContactView),
  /** Shows the safety number; with `verified` or `match` (the digits the other side has) it records what the user has found. */
  verify: oc
    .input(
      z.extend(ContactInput, { verified: z.optional(z.boolean()), match: z.optional(z.string().check(z.minLength(1), z.maxLength(200))) }),
    )
    .output(z.object({ contact: z.string(), safety_number: z.string(), trust: Trust })),
  /** The path in use to a contact, and why not a better one. */
  why: oc.input(ContactInput).output(WhyView),
  /** Looks at everything that may keep this client from others; takes a few seconds. */
  doctor: oc.output(DoctorView),
  peers: oc.output(z.object({ peers: z.array(PeerView) })),
  send: oc
    .input(
      z.object({
        contacts: z.array(z.string().check(z.minLength(1), z.maxLength(200))).check(z.minLength(1), z.maxLength(64)),
        text: z.string().check(z.minLength(1)),
        reply_to: z.optional(z.string()),
        /** 16 random bytes in hex: who does not know whether it was sent sends it again under the same, and it goes once. */
        id: z.optional(z.string()),
        /** Given up after so long; as configured when it is left out. */
        expire_ms: z.optional(z.int().check(z.gte(1_000), z.lte(MAX_EXPIRE_MS))),
        wait: WaitState,
        timeout_ms: z.int().check(z.gte(0), z.lte(86_400_000)),
      }),
    )
    .output(z.object({ messages: z.array(SentMessage), timed_out: z.boolean() })),
  /** What is not delivered yet, by device of the recipient; `hold` says why nobody has it. */
  outbox: oc.output(z.object({ outbox: z.array(OutboxView) })),
  /** Tries everything that waits in the outbox now, and to reach relays and contacts that are not reached. */
  tryNow: oc.output(z.object({})),
  /** Our own mailboxes: whether mail is fetched as it comes, and how many tokens are at hand. */
  mailbox: oc.output(z.object({ mailboxes: z.array(z.object({ url: z.string(), watching: z.boolean(), tokens: z.int() })) })),
  /** What has become of a message of ours at each device of its recipient; only the device that has sent it knows of all. */
  states: oc.input(z.object({ id: z.string() })).output(StatesView),
  /** Sends a message that failed once more, to be given up after so long; as configured when it is left out. */
  retry: oc
    .input(z.object({ id: z.string(), expire_ms: z.optional(z.int().check(z.gte(1_000), z.lte(MAX_EXPIRE_MS))) }))
    .output(z.object({ message: SentMessage })),
  /** Gives up a message that is in the outbox. */
  cancel: oc.input(z.object({ id: z.string() })).output(z.object({ message: SentMessage })),
  /** Tells a contact of somebody else: who gets it may ask that account for contact. */
  share: oc
    .input(z.extend(ContactInput, { shared: z.string().check(z.minLength(1), z.maxLength(200)) }))
    .output(z.object({ message: HistoryMessage })),
  /** An empty emoji takes the reaction back. */
  react: oc.input(z.object({ id: z.string(), emoji: z.string().check(z.maxLength(64)) })).output(z.object({ message: HistoryMessage })),
  edit: oc.input(z.object({ id: z.string(), text: z.string().check(z.minLength(1)) })).output(z.object({ message: HistoryMessage })),
  /** Deletes the conversation on this device and the account's others; the contact stays, and keeps theirs. */
  deleteConversation: oc.input(ContactInput).output(z.object({ contact: z.string() })),
  /** Takes a message back, for everybody. */
  remove: oc.input(z.object({ id: z.string() })).output(z.object({ message: HistoryMessage })),
  /**
   * Offers files and folders to each of the contacts; several paths go as one transfer. Paths are absolute, or ids of
   * uploads, of which each is offered once, and goes when it is refused; in a page they name what its user has chosen.
   */
  sendFiles: oc
    .input(
      z.object({
        contacts: Recipients,
        paths: z.array(Path).check(z.minLength(1), z.maxLength(200_000)),
        /** Of a single file: JPEG of at most 3,072 bytes, in base64. */
        thumbnail: z.optional(z.string().check(z.maxLength(4_096))),
      }),
    )
    .output(Transfers),
  /**
   * Offers what comes through a pipe while it still comes; `path` is its copy. The one answer holds the transfers. The stream
   * stands until `grown` has told the end, or nobody is to get it any more; who closes it before that breaks the transfers off.
   */
  sendStream: oc.input(z.object({ contacts: Recipients, path: Path })).output(eventIterator(Transfers)),
  /** So many bytes of what `sendStream` has offered are there. `ended`: that is all. */
  grown: oc.input(z.object({ transfers: z.array(z.string()), bytes: z.int().check(z.gte(0)), ended: z.boolean() })).output(z.object({})),
  /**
   * For a page with its client behind it: begins a copy of what its user has chosen, or adds more names to one that has begun. Its id
   * is a path for `sendFiles`. `path`: folders and name of each; `modified`: of a file, in ms since 1970, without it an empty folder.
   */
  upload: oc
    .input(
      z.object({
        upload: z.optional(z.string().check(z.maxLength(64))),
        names: z
          .array(
            z.object({
              path: z.array(z.string().check(z.minLength(1), z.maxLength(1_000))).check(z.minLength(1), z.maxLength(64)),
              modified: z.optional(z.number()),
            }),
          )
          .check(z.minLength(1), z.maxLength(10_000)),
      }),
    )
    .output(z.object({ upload: z.string() })),
  /** The next bytes of the file of this number, in base64; the answer comes when they are written. */
  uploadPart: oc
    .input(
      z.object({
        upload: z.string().check(z.maxLength(64)),
        file: z.int().check(z.gte(0)),
        part: z.string().check(z.maxLength(180_000)),
      }),
    )
    .output(z.object({})),
  /** Removes an upload that is not to be offered after all; one that was offered is known no longer, and nothing happens. */
  endUpload: oc.input(z.object({ upload: z.string().check(z.maxLength(64)) })).output(z.object({})),
  /** Newest first. */
  transfers: oc.output(Transfers),
  /** A small picture of what is offered, as its sender says, in base64: to be judged before it is shown. */
  thumbnail: oc.input(TransferInput).output(z.object({ thumbnail: z.nullable(z.string()) })),
  /** For a page with its client behind it: bytes of a single file that was received, in base64; none behind its end. */
  received: oc.input(z.extend(TransferInput, { offset: z.int().check(z.gte(0)) })).output(z.object({ part: z.string() })),
  /** Fetches what was offered. `folder` is absolute; without it, the place that is meant for such. */
  accept: oc.input(z.extend(TransferInput, { folder: z.optional(z.string().check(z.maxLength(4_096))) })).output(TransferView),
  pause: oc.input(TransferInput).output(TransferView),
  resume: oc.input(TransferInput).output(TransferView),
  /** Ends it for good, on both sides; an offer is declined. */
  end: oc.input(TransferInput).output(TransferView),
  /** Removes what was received, where this client keeps it itself, as in a browser: its path is null then. */
  removeReceived: oc.input(TransferInput).output(TransferView),
  /** What is accepted of a contact without asking; with `auto` it is set. */
  autoAccept: oc
    .input(z.extend(ContactInput, { auto: z.optional(AutoAcceptView) }))
    .output(z.object({ contact: z.string(), auto: AutoAcceptView })),
  /** Bytes a second that transfers may take, each way; 0 for no bound. With `rate` it is set. */
  transferRate: oc.input(z.object({ rate: z.optional(z.int().check(z.gte(0))) })).output(z.object({ rate: z.int() })),
  /** How long texts of a conversation stay after reading; without `after_ms` it is only shown, `null` is for ever. */
  timer: oc
    .input(z.extend(ContactInput, { after_ms: z.optional(z.nullable(z.int().check(z.gte(1_000), z.lte(31_622_400_000)))) }))
    .output(z.object({ contact: z.string(), disappear_after_ms: z.nullable(z.int()) })),
  /** Told to devices that are connected, and to nobody else. */
  typing: oc.input(z.extend(ContactInput, { active: z.boolean() })).output(z.object({})),
  /** Every word of `query`, or a word that begins so; newest first. */
  search: oc
    .input(
      z.object({
        query: z.string().check(z.minLength(1), z.maxLength(400)),
        contact: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
        before: z.optional(z.string()),
        limit: z.optional(z.int().check(z.gte(1), z.lte(1_000))),
      }),
    )
    .output(z.object({ messages: z.array(z.extend(HistoryMessage, { contact: z.string(), name: z.string() })) })),
  /**
   * The parts of a backup file, one after the other, in base64: sealed with the passphrase; without one it holds contacts and
   * history to be read, and no key.
   */
  backup: oc
    .input(z.object({ passphrase: z.nullable(z.string().check(z.minLength(8), z.maxLength(1_000))) }))
    .output(eventIterator(z.object({ part: z.string() }))),
  wait: oc
    .input(z.object({ id: z.string(), state: WaitState, timeout_ms: z.int().check(z.gte(0), z.lte(86_400_000)) }))
    .output(z.object({ message: SentMessage, timed_out: z.boolean() })),
  history: oc
    .input(
      z.extend(ContactInput, {
        after: z.optional(z.string()),
        before: z.optional(z.string()),
        limit: z.optional(z.int().check(z.gte(1), z.lte(1_000))),
      }),
    )
    .output(z.object({ messages: z.array(HistoryMessage) })),
  /** Contacts with the newest message of each and the number of unread ones; the latest conversation first. */
  conversations: oc.output(z.object({ conversations: z.array(ConversationView) })),
  /** The user has seen everything up to this message. */
  seen: oc.input(z.extend(ContactInput, { id: z.string() })).output(z.object({ unread: z.int() })),
  settings: oc.output(SettingsView),
  /** Keeps what is given and applies it. `applied` false: it counts from the next start on. */
  configure: oc.input(z.partial(SettingsView)).output(z.extend(SettingsView, { applied: z.boolean() })),
  /** What is carried, page by page, for a file; base64. */
  carried: oc
    .input(z.object({ after: z.optional(z.string().check(z.maxLength(64))) }))
    .output(z.object({ bundles: z.array(z.string()), next: z.nullable(z.string()) })),
  /** Takes in what another node has packed. Of what is `refused`, `no_room` found none, `late` had expired and `later` cannot be opened yet. */
  carry: oc
    .input(z.object({ bundles: z.array(z.string().check(z.maxLength(400_000))).check(z.maxLength(64)) }))
    .output(
      z.object({ taken: z.number(), known: z.number(), refused: z.number(), no_room: z.number(), late: z.number(), later: z.number() }),
    ),
  /** Neighbours, routes, and what is carried. */
  mesh: oc.input(MeshInput).output(MeshView),
  events: oc.output(eventIterator(ClientEvent)),
  config: oc.output(z.record(z.string(), z.object({ value: z.unknown(), origin: z.string() }))),
  stop: oc.output(z.object({ stopping: z.literal(true) })),
}
