/** Announcements on the local network. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { LanAnnouncement } from './gen/lan_pb.ts'
import { LAN_TAG_BYTES, MAX_LAN_TAGS } from './limits.ts'

export interface LanAnnouncementFields {
  /** Quarter hours since 1970. */
  readonly epoch: number
  /** 1 to 65,535, or 0 for none. */
  readonly tcp4: number
  readonly tcp6: number
  /** 8 bytes each, at most MAX_LAN_TAGS. */
  readonly tags: readonly Uint8Array[]
  /** Ed25519, 32 bytes; `null` when it is not shown. */
  readonly deviceKey: Uint8Array | null
}

const NOTHING = new Uint8Array()
const MAX_PORT = 65_535

export function encodeLanAnnouncement({ tags, deviceKey, ...rest }: LanAnnouncementFields): Uint8Array {
  const joined = new Uint8Array(tags.length * LAN_TAG_BYTES)
  for (const [at, tag] of tags.entries()) joined.set(tag, at * LAN_TAG_BYTES)
  return encode(LanAnnouncement, { ...rest, tags: joined, deviceKey: deviceKey ?? NOTHING })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeLanAnnouncement(bytes: Uint8Array): LanAnnouncementFields {
  const { epoch, tcp4, tcp6, tags, deviceKey } = decode(LanAnnouncement, bytes)
  if (tcp4 > MAX_PORT || tcp6 > MAX_PORT) throw new SkeinError('BAD_FRAME', 'A port is larger than there are.')
  if (tags.length % LAN_TAG_BYTES !== 0 || tags.length > MAX_LAN_TAGS * LAN_TAG_BYTES)
    throw new SkeinError('BAD_FRAME', 'Tags have the wrong length.')
  const count = tags.length / LAN_TAG_BYTES
  return {
    epoch,
    tcp4,
    tcp6,
    tags: Array.from({ length: count }, (_, at) => tags.subarray(at * LAN_TAG_BYTES, (at + 1) * LAN_TAG_BYTES)),
    deviceKey: deviceKey.length === 0 ? null : exactly(deviceKey, 32),
  }
}
