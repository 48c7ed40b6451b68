/**
 * The link by which a device joins an account: shown by an old device, read by the new one. In the fragment: format version,
 * key of the old device (32), secret (16), expiry (UTC minute, 4) and a checksum (4).
 */
import { base64urlnopad } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { type DeviceId, deviceIdFromKey, deviceKey } from '../ids.ts'
import type { Primitives } from '../ports/primitives.ts'
import { sameBytes } from '../wire/codec.ts'

/** A link is good for 10 minutes (DV5): time to walk to the other device, not to be found later. */
export const LINK_LIFETIME_MS = 600_000
/** Longest link, in characters: a small QR code holds it. */
export const MAX_LINK_CHARS = 220

/** None that an invite ever has: a program that takes one for the other says so. */
const VERSION = 0x81
const SECRET_AT = 33
const EXPIRY_AT = 49
const BODY_BYTES = 53
const CHECKSUM_BYTES = 4
const MINUTE_MS = 60_000

export interface DeviceLink {
  /** The old device. */
  readonly host: DeviceId
  /** 16 bytes. */
  readonly secret: Uint8Array
  /** Milliseconds since 1970, a whole minute. */
  readonly expiresAt: number
  /** Where the old device can be reached; null on a local network. */
  readonly relay: string | null
}

export function linkExpiry(now: number): number {
  return Math.ceil((now + LINK_LIFETIME_MS) / MINUTE_MS) * MINUTE_MS
}

export function formatLink(primitives: Primitives, { host, secret, expiresAt, relay }: DeviceLink): string {
  const whole = new Uint8Array(BODY_BYTES + CHECKSUM_BYTES)
  whole[0] = VERSION
  whole.set(deviceKey(host), 1)
  whole.set(secret, SECRET_AT)
  new DataView(whole.buffer).setUint32(EXPIRY_AT, expiresAt / MINUTE_MS)
  whole.set(primitives.sha256(whole.subarray(0, BODY_BYTES)).subarray(0, CHECKSUM_BYTES), BODY_BYTES)
  return `${relay === null ? 'skein:' : `${relay.replace(/\/+$/, '')}/`}#${base64urlnopad.encode(whole)}`
}

/** Whether a text is a link for devices, and no invite. */
export function isDeviceLink(text: string): boolean {
  return partsOf(text)?.bytes[0] === VERSION
}

/** @throws SkeinError LINK_NOT_ONE, LINK_EXPIRED */
export function parseLink(primitives: Primitives, text: string, now: number): DeviceLink {
  const { head, bytes } = partsOf(text) ?? { head: '', bytes: new Uint8Array() }
  const checksum = primitives.sha256(bytes.subarray(0, BODY_BYTES)).subarray(0, CHECKSUM_BYTES)
  if (bytes[0] !== VERSION || bytes.length !== BODY_BYTES + CHECKSUM_BYTES || !sameBytes(checksum, bytes.subarray(BODY_BYTES)))
    throw new SkeinError('LINK_NOT_ONE', 'This is not a link for devices, or a part of it is missing: make one with «skein devices link».')
  const expiresAt = new DataView(bytes.buffer, bytes.byteOffset).getUint32(EXPIRY_AT) * MINUTE_MS
  if (expiresAt <= now) throw new SkeinError('LINK_EXPIRED', 'This link has expired; make a new one on the other device.')
  return {
    host: deviceIdFromKey(bytes.slice(1, SECRET_AT)),
    secret: bytes.slice(SECRET_AT, EXPIRY_AT),
    expiresAt,
    relay: /^skein:$/i.test(head) ? null : head.replace(/\/+$/, ''),
  }
}

function partsOf(text: string): { readonly head: string; readonly bytes: Uint8Array } | undefined {
  const [head = '', fragment = '', more] = text.trim().split('#')
  if (text.length > MAX_LINK_CHARS || more !== undefined || !/^(https?:\/\/[^\s/?#]+(\/[^\s?#]*)?|skein:)$/i.test(head)) return undefined
  try {
    return { head, bytes: base64urlnopad.decode(fragment) }
  } catch {
    return undefined
  }
}
