/** Presence frames, on the shared topic and on `/skein/presence/1`. */
import { SkeinError } from '../errors/index.ts'
import { atMost, decode, encode, exactly } from './codec.ts'
import { type HeardPresence, Presence, PresenceFrame } from './gen/skein_pb.ts'
import { MAX_HEARD, MAX_NAME_CHARS } from './limits.ts'
import { type SignedBytes, signedOf } from './signed.ts'

export interface PresenceFields {
  /** Ed25519, 32 bytes. */
  readonly deviceKey: Uint8Array
  /** SHA-256 of the account key, 32 bytes. */
  readonly accountDigest: Uint8Array
  /** 32 bytes. */
  readonly networkId: Uint8Array
  /** Sender's clock, milliseconds since 1970, strictly rising. */
  readonly at: number
  readonly name: string
  /** Milliseconds of silence after which the device counts as gone; 0 for the usual time. */
  readonly lease: number
}

export interface HeardFields {
  readonly signed: SignedBytes
  /** Milliseconds since the repeater heard it. */
  readonly age: number
}

export type PresenceFrameFields =
  | { readonly kind: 'presence'; readonly own: SignedBytes }
  | { readonly kind: 'welcome'; readonly own: SignedBytes; readonly to: Uint8Array; readonly heard: readonly HeardFields[] }
  | { readonly kind: 'refresh'; readonly own: SignedBytes; readonly heard: readonly HeardFields[] }

export function encodePresence(presence: PresenceFields): Uint8Array {
  return encode(Presence, presence)
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodePresence(bytes: Uint8Array): PresenceFields {
  const presence = decode(Presence, bytes)
  if ([...presence.name].length > MAX_NAME_CHARS) throw new SkeinError('BAD_FRAME', 'A name is longer than the limit.')
  return {
    deviceKey: exactly(presence.deviceKey, 32),
    accountDigest: exactly(presence.accountDigest, 32),
    networkId: exactly(presence.networkId, 32),
    at: presence.at,
    name: presence.name,
    lease: presence.lease,
  }
}

export function encodePresenceFrame(frame: PresenceFrameFields): Uint8Array {
  const heard = frame.kind === 'presence' ? [] : frame.heard.map(({ signed, age }) => ({ presence: signed, age }))
  if (frame.kind === 'presence') return encode(PresenceFrame, { kind: { $case: 'presence', value: { own: frame.own } } })
  if (frame.kind === 'refresh') return encode(PresenceFrame, { kind: { $case: 'refresh', value: { own: frame.own, heard } } })
  return encode(PresenceFrame, { kind: { $case: 'welcome', value: { own: frame.own, to: frame.to, heard } } })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodePresenceFrame(bytes: Uint8Array): PresenceFrameFields {
  const { kind } = decode(PresenceFrame, bytes)
  if (kind === undefined) throw new SkeinError('BAD_FRAME', 'A presence frame is empty.')
  const own = signedOf(kind.value.own)
  if (kind.$case === 'presence') return { kind: 'presence', own }
  const heard = heardOf(kind.value.heard)
  return kind.$case === 'refresh' ? { kind: 'refresh', own, heard } : { kind: 'welcome', own, to: exactly(kind.value.to, 32), heard }
}

function heardOf(list: readonly HeardPresence[]): readonly HeardFields[] {
  return atMost(list, MAX_HEARD).map(({ presence, age }) => ({ signed: signedOf(presence), age }))
}
