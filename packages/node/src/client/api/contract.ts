/** The typed local API: commands, queries and one event stream, served by a client and used by every interface. */
import { eventIterator, oc } from '@orpc/contract'
import * as z from 'zod'
import { ConfigSchema, MAX_EXPIRE_MS } from '../config-schema.ts'

const MessageState = z.enum(['queued', 'carried', 'delivered', 'read', 'failed'])
/** States one can wait for. */
export const WaitState = z.enum(['queued', 'carried', 'delivered', 'read'])
export type WaitState = z.infer<typeof WaitState>
const Instant = z.number().int()

export const SentMessage = z.object({
  contact: z.string(),
  id: z.string(),
  state: MessageState,
  reason: z.string().nullable(),
  created_at: Instant,
  delivered_at: Instant.nullable(),
})
export type SentMessage = z.infer<typeof SentMessage>

export const OutboxView = z.object({
  contact: z.string(),
  name: z.string(),
  device: z.string(),
  id: z.string(),
  state: z.enum(['queued', 'carried']),
  carriers: z.array(z.string()),
  hold: z.enum(['blocked', 'not-accepted', 'keys-changed', 'no-keys', 'no-path']).nullable(),
  attempts: z.number().int(),
  next_at: Instant,
  expires_at: Instant,
})
export type OutboxView = z.infer<typeof OutboxView>

export const HistoryMessage = z.object({
  id: z.string(),
  direction: z.enum(['in', 'out']),
  /** `gone`: it has disappeared, and stands in `changed` events alone. `unknown`: of a newer version of the program. */
  kind: z.enum(['text', 'contact', 'timer', 'unknown', 'gone']),
  /** As last edited; the name of a shared contact; empty once deleted. */
  text: z.string(),
  reply_to: z.string().nullable(),
  /** Account id of a contact that was shared. */
  shared: z.string().nullable(),
  /** From reading; of a timer: what later texts have. */
  disappear_after_ms: z.number().int().nullable(),
  disappears_at: Instant.nullable(),
  edited_at: Instant.nullable(),
  deleted_at: Instant.nullable(),
  own_reaction: z.string().nullable(),
  contact_reaction: z.string().nullable(),
  state: MessageState,
  created_at: Instant,
  received_at: Instant.nullable(),
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
  last_seen: Instant.nullable(),
  trust: Trust,
  blocked: z.boolean(),
  muted: z.boolean(),
})
export type ContactView = z.infer<typeof ContactView>

/** How a device is reached, best first. */
const PATHS = ['lan', 'direct', 'mapped', 'punched', 'relayed', 'mesh', 'none'] as const

export const PeerView = z.object({
  contact: z.string().nullable(),
  name: z.string(),
  device: z.string(),
  online: z.boolean(),
  last_seen: Instant.nullable(),
  path: z.enum(PATHS),
})
export type PeerView = z.infer<typeof PeerView>

/** What stands between this machine and the internet; empty where it cannot be found out, as in a browser. */
export const NatView = z
  .object({
    udp: z.boolean(),
    mapping: z.enum(['none', 'same', 'sequential', 'random', 'unknown']),
    filtering: z.enum(['strict', 'open', 'unknown']),
    seen_as: z.string().nullable(),
    hairpin: z.boolean().nullable(),
    ipv6: z.boolean(),
  })
  .partial()
export type NatView = z.infer<typeof NatView>

export const DoctorView = z.object({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  nat: NatView,
})
export type DoctorView = z.infer<typeof DoctorView>

export const WhyView = z.object({
  contact: z.string(),
  device: z.string(),
  path: z.enum([...PATHS, 'mailbox']),
  transport: z.string().nullable(),
  rtt_ms: z.number().nullable(),
  since: Instant.nullable(),
  nat: NatView,
  /** Best rung first. */
  reasons: z.array(z.object({ rung: z.string(), outcome: z.string(), detail: z.string() })),
})
export type WhyView = z.infer<typeof WhyView>

export const StatusView = z.object({
  account: z.string(),
  device: z.string(),
  name: z.string(),
  pid: z.number(),
  addresses: z.array(z.string()),
  relays: z.array(z.object({ url: z.string(), connected: z.boolean(), reserved: z.boolean() })),
})
export type StatusView = z.infer<typeof StatusView>

export const ClientEvent = z.discriminatedUnion('event', [
  /** `muted`: the user does not want to be called for it. */
  z.object({ event: z.literal('message'), contact: z.string(), name: z.string(), muted: z.boolean(), message: HistoryMessage }),
  z.object({
    event: z.literal('state'),
    contact: z.string(),
    id: z.string(),
    state: MessageState,
    reason: z.string().nullable(),
    delivered_at: Instant.nullable(),
  }),
  /** A message was edited, taken back or reacted to, or has disappeared. */
  z.object({ event: z.literal('changed'), contact: z.string(), message: HistoryMessage }),
  /** For a few seconds, unless it comes again. */
  z.object({ event: z.literal('typing'), contact: z.string(), active: z.boolean() }),
  /** The user has seen messages, here or in another window. */
  z.object({ event: z.literal('seen'), contact: z.string(), unread: z.number().int() }),
  z.object({ event: z.literal('presence'), contact: z.string().nullable(), device: z.string(), online: z.boolean() }),
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

export const ConversationView = ContactView.extend({
  last: HistoryMessage.nullable(),
  /** 0 to 999. */
  unread: z.number().int(),
})
export type ConversationView = z.infer<typeof ConversationView>

export const SettingsView = ConfigSchema.pick({ name: true, relays: true, visibility: true })
export type SettingsView = z.infer<typeof SettingsView>

const MeshWay = z.object({ device: z.string(), hops: z.number().int(), quality: z.number(), proven_at: Instant })
/** The mesh as this node sees it; `contact` and `name` only where the user knows them. */
export const MeshView = z.object({
  /** Whether this node is part of a mesh at all. */
  enabled: z.boolean(),
  neighbours: z.array(
    z.object({
      device: z.string(),
      contact: z.string().nullable(),
      name: z.string(),
      since: Instant,
      bytes_in: z.number().int(),
      bytes_out: z.number().int(),
      /** Addresses that are reached over it. */
      routes: z.number().int(),
    }),
  ),
  /** Best way first. */
  routes: z.array(z.object({ address: z.string(), contact: z.string().nullable(), name: z.string(), ways: z.array(MeshWay) })),
  bundles: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      bytes: z.number().int(),
      own: z.boolean(),
      hops: z.number().int(),
      copies: z.number().int(),
      received_at: Instant,
      expires_at: Instant,
    }),
  ),
  used_bytes: z.number().int(),
  capacity_bytes: z.number().int(),
})
export type MeshView = z.infer<typeof MeshView>

const ContactInput = z.object({ contact: z.string().min(1).max(200) })

export const contract = {
  status: oc.output(StatusView),
  invite: oc.output(z.object({ invite: z.string(), expires_at: Instant })),
  /** One invite, or all that are open. */
  revoke: oc.input(z.object({ invite: z.string().min(1).max(400).optional() })).output(z.object({ revoked: z.number() })),
  add: oc
    .input(z.object({ invite: z.string().min(1).max(400), name: z.string().min(1).max(64).optional() }))
    .output(z.object({ contact: z.string(), name: z.string(), state: z.enum(['pending', 'accepted']) })),
  contacts: oc.output(z.object({ contacts: z.array(ContactView) })),
  change: oc
    .input(
      ContactInput.extend({ name: z.string().min(1).max(64).optional(), blocked: z.boolean().optional(), muted: z.boolean().optional() }),
    )
    .output(ContactView),
  /** Shows the safety number; with `verified` or `match` (the digits the other side has) it records what the user has found. */
  verify: oc
    .input(ContactInput.extend({ verified: z.boolean().optional(), match: z.string().min(1).max(200).optional() }))
    .output(z.object({ contact: z.string(), safety_number: z.string(), trust: Trust })),
  /** The path in use to a contact, and why not a better one. */
  why: oc.input(ContactInput).output(WhyView),
  /** Looks at everything that may keep this client from others; takes a few seconds. */
  doctor: oc.output(DoctorView),
  peers: oc.output(z.object({ peers: z.array(PeerView) })),
  send: oc
    .input(
      z.object({
        contacts: z.array(z.string().min(1).max(200)).min(1).max(64),
        text: z.string().min(1),
        reply_to: z.string().optional(),
        /** Given up after so long; as configured when it is left out. */
        expire_ms: z.number().int().min(1_000).max(MAX_EXPIRE_MS).optional(),
        wait: WaitState,
        timeout_ms: z.number().int().min(0).max(86_400_000),
      }),
    )
    .output(z.object({ messages: z.array(SentMessage), timed_out: z.boolean() })),
  /** What is not delivered yet, by device of the recipient; `hold` says why nobody has it. */
  outbox: oc.output(z.object({ outbox: z.array(OutboxView) })),
  /** Our own mailboxes: whether mail is fetched as it comes, and how many tokens are at hand. */
  mailbox: oc.output(z.object({ mailboxes: z.array(z.object({ url: z.string(), watching: z.boolean(), tokens: z.number().int() })) })),
  /** Sends a message that failed once more. */
  retry: oc.input(z.object({ id: z.string() })).output(z.object({ message: SentMessage })),
  /** Gives up a message that is in the outbox. */
  cancel: oc.input(z.object({ id: z.string() })).output(z.object({ message: SentMessage })),
  /** Tells a contact of somebody else: who gets it may ask that account for contact. */
  share: oc.input(ContactInput.extend({ shared: z.string().min(1).max(200) })).output(z.object({ message: HistoryMessage })),
  /** An empty emoji takes the reaction back. */
  react: oc.input(z.object({ id: z.string(), emoji: z.string().max(64) })).output(z.object({ message: HistoryMessage })),
  edit: oc.input(z.object({ id: z.string(), text: z.string().min(1) })).output(z.object({ message: HistoryMessage })),
  /** Takes a message back, for everybody. */
  remove: oc.input(z.object({ id: z.string() })).output(z.object({ message: HistoryMessage })),
  /** How long texts of a conversation stay after reading; without `after_ms` it is only shown, `null` is for ever. */
  timer: oc
    .input(ContactInput.extend({ after_ms: z.number().int().min(1_000).max(31_622_400_000).nullable().optional() }))
    .output(z.object({ contact: z.string(), disappear_after_ms: z.number().int().nullable() })),
  /** Told to devices that are connected, and to nobody else. */
  typing: oc.input(ContactInput.extend({ active: z.boolean() })).output(z.object({})),
  /** Every word of `query`, or a word that begins so; newest first. */
  search: oc
    .input(
      z.object({
        query: z.string().min(1).max(400),
        contact: z.string().min(1).max(200).optional(),
        before: z.string().optional(),
        limit: z.number().int().min(1).max(1_000).optional(),
      }),
    )
    .output(z.object({ messages: z.array(HistoryMessage.extend({ contact: z.string(), name: z.string() })) })),
  /**
   * The parts of a backup file, one after the other, in base64: sealed with the passphrase; without one it holds contacts and
   * history to be read, and no key.
   */
  backup: oc.input(z.object({ passphrase: z.string().min(8).max(1_000).nullable() })).output(eventIterator(z.object({ part: z.string() }))),
  wait: oc
    .input(z.object({ id: z.string(), state: WaitState, timeout_ms: z.number().int().min(0).max(86_400_000) }))
    .output(z.object({ message: SentMessage, timed_out: z.boolean() })),
  history: oc
    .input(
      ContactInput.extend({
        after: z.string().optional(),
        before: z.string().optional(),
        limit: z.number().int().min(1).max(1_000).optional(),
      }),
    )
    .output(z.object({ messages: z.array(HistoryMessage) })),
  /** Contacts with the newest message of each and the number of unread ones; the latest conversation first. */
  conversations: oc.output(z.object({ conversations: z.array(ConversationView) })),
  /** The user has seen everything up to this message. */
  seen: oc.input(ContactInput.extend({ id: z.string() })).output(z.object({ unread: z.number().int() })),
  settings: oc.output(SettingsView),
  /** Keeps what is given and applies it. `applied` false: it counts from the next start on. */
  configure: oc.input(SettingsView.partial()).output(SettingsView.extend({ applied: z.boolean() })),
  /** What is carried, page by page, for a file; base64. */
  carried: oc
    .input(z.object({ after: z.string().length(16).optional() }))
    .output(z.object({ bundles: z.array(z.string()), next: z.string().nullable() })),
  /** Takes in what another node has packed. */
  carry: oc
    .input(z.object({ bundles: z.array(z.string().max(400_000)).max(64) }))
    .output(z.object({ taken: z.number(), known: z.number(), refused: z.number() })),
  /** Neighbours, routes, and what is carried. */
  mesh: oc.output(MeshView),
  events: oc.output(eventIterator(ClientEvent)),
  config: oc.output(z.record(z.string(), z.object({ value: z.unknown(), origin: z.string() }))),
  stop: oc.output(z.object({ stopping: z.literal(true) })),
}
