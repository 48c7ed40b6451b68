/** What a messenger is made of, what it is told, and what it tells. */
import { base64 } from '@scure/base'
import type { KeyChange } from './contacts/index.ts'
import type { AccountId, DeviceId } from './ids.ts'
import type { FilesFactory, Transfer } from './files/index.ts'
import { type Identity, LIST_SETTING, LIST_VERSION_SETTING, makeIdentity, openIdentity } from './identity/index.ts'
import type { MeshFactory } from './dispatch/mesh-carrier.ts'
import type { BlindTokens } from './ports/tokens.ts'
import type {
  Clock,
  Compression,
  Directory,
  Logger,
  Primitives,
  Random,
  Store,
  StoredContact,
  StoredMessage,
  Swarm,
} from './ports/index.ts'
import type { Visibility } from './presence/index.ts'
import { decodeSigned } from './wire/signed.ts'

export interface MessengerPorts {
  readonly store: Store
  readonly swarm: Swarm
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  readonly compression: Compression
  /** Without one, this messenger is no part of any mesh. */
  readonly mesh?: MeshFactory
  /** Without it, this messenger offers no files and takes none. */
  readonly files?: FilesFactory
  /** The same, loaded when there is the first to do with files. */
  readonly lateFiles?: () => Promise<FilesFactory>
  /** Tokens for mailboxes; without them, this messenger neither leaves nor fetches mail. */
  readonly tokens?: () => Promise<BlindTokens>
}

export interface MessengerOptions {
  /** What we call ourselves; may be empty. */
  readonly name: string
  /** Relay URLs, as others reach them. */
  readonly relays: readonly string[]
  readonly visibility: Visibility
  /** URLs of relays where mail may be left for us. */
  readonly mailboxes?: readonly string[]
  /** Whether contacts are told what the user has seen. */
  readonly readReceipts?: boolean
  /** What its owner calls this device, for the account's other devices. */
  readonly deviceName?: string
  /** Messages are given up after so long, milliseconds; 30 days unless said. */
  readonly expireMs?: number
}

export type MessengerEvent =
  | { readonly kind: 'message'; readonly message: StoredMessage }
  | { readonly kind: 'state'; readonly message: StoredMessage }
  /** A message was edited, taken back or reacted to, or has disappeared (then its kind is `gone`). */
  | { readonly kind: 'changed'; readonly message: StoredMessage }
  /** A file was offered, moves on, or has ended. */
  | { readonly kind: 'transfer'; readonly transfer: Transfer }
  /** For a few seconds, unless it is said again. */
  | { readonly kind: 'typing'; readonly account: AccountId; readonly active: boolean }
  | { readonly kind: 'contact'; readonly contact: StoredContact }
  /** A contact has other devices or keys than before: a note, and for a verified contact a decision to be made (EV2, EV3). */
  | ({ readonly kind: 'keys' } & KeyChange)
  /** Messages of these contacts have come that another device of ours had. */
  | { readonly kind: 'history'; readonly accounts: readonly AccountId[] }
  /** A conversation was deleted, here or on another device of ours. */
  | { readonly kind: 'cleared'; readonly account: AccountId }
  /** The user has seen messages of a contact, here or in another window. */
  | { readonly kind: 'seen'; readonly account: AccountId; readonly unread: number }
  /** The account has other devices than before; `revoked`: this one is none of them any more. */
  | { readonly kind: 'devices'; readonly revoked: boolean }
  | { readonly kind: 'presence'; readonly device: DeviceId; readonly account: AccountId; readonly online: boolean }

/** The account and device keys in `store`, made at first start. */
export async function loadIdentity(ports: Pick<MessengerPorts, 'store' | 'random' | 'clock' | 'primitives'>): Promise<Identity> {
  const stored = await ports.store.identity()
  const version = await ports.store.setting(LIST_VERSION_SETTING)
  const list = await ports.store.setting(LIST_SETTING)
  const said = {
    ...(version === null ? {} : { version: Number(version) }),
    ...(list === null ? {} : { list: decodeSigned(base64.decode(list)) }),
  }
  if (stored !== null) return openIdentity(ports.primitives, stored, said)
  const made = makeIdentity(ports.random, ports.clock.now())
  await ports.store.commit([{ kind: 'identity.put', identity: made }])
  return openIdentity(ports.primitives, made)
}
