/** Port Control Protocol, opcode MAP, for TCP over IPv4 (RFC 6887 §7, §11). */

/** Of the server; NAT-PMP has the same one (RFC 6887 §19.1). */
export const PCP_PORT = 5_351
/** Bytes of the nonce that ties an answer to its question (§11.1). */
export const NONCE_BYTES = 12

const VERSION = 2
const OPCODE_MAP = 1
const ANSWER = 0x80
/** IANA protocol number. */
const TCP = 6
const LENGTH = 60
/** UNSUPP_VERSION (§7.4): a server of NAT-PMP alone says so too, in its own form. */
const UNSUPPORTED_VERSION = 1

export interface MapRequest {
  /** 12 bytes. */
  readonly nonce: Uint8Array
  /** Seconds; 0 takes the mapping back. */
  readonly lifetimeS: number
  /** IPv4 address that the request is sent from. */
  readonly client: string
  readonly port: number
  /** Outside port; a suggestion. */
  readonly wanted: number
}

export type PcpAnswer =
  | { readonly kind: 'mapped'; readonly host: string; readonly port: number; readonly lifetimeS: number }
  /** Result code of RFC 6887 §7.4. */
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'other-version' }

export function encodeMap({ nonce, lifetimeS, client, port, wanted }: MapRequest): Buffer {
  const bytes = Buffer.alloc(LENGTH)
  bytes.set([VERSION, OPCODE_MAP])
  bytes.writeUInt32BE(lifetimeS, 4)
  bytes.set(mappedAddress(client), 8)
  bytes.set(nonce, 24)
  bytes.set([TCP], 36)
  bytes.writeUInt16BE(port, 40)
  bytes.writeUInt16BE(wanted, 42)
  bytes.set(mappedAddress('0.0.0.0'), 44)
  return bytes
}

/** @returns nothing for what is no answer to this request */
export function decodeMap(bytes: Buffer, { nonce, port }: Pick<MapRequest, 'nonce' | 'port'>): PcpAnswer | undefined {
  if (bytes.length < 4 || ((bytes[1] ?? 0) & ANSWER) === 0) return undefined
  if (bytes[0] !== VERSION || (bytes[3] === UNSUPPORTED_VERSION && bytes[2] === 0)) return { kind: 'other-version' }
  const isOurs = bytes.length >= LENGTH && bytes.subarray(24, 36).equals(nonce) && bytes.readUInt16BE(40) === port
  if (bytes[1] !== (ANSWER | OPCODE_MAP) || !isOurs || bytes[36] !== TCP) return undefined
  const code = bytes[3] ?? 0
  if (code !== 0) return { kind: 'refused', code }
  const host = ipv4In(bytes.subarray(44, 60))
  return host === undefined ? undefined : { kind: 'mapped', host, port: bytes.readUInt16BE(42), lifetimeS: bytes.readUInt32BE(4) }
}

/** An IPv4 address in the place of an IPv6 one (RFC 4291 §2.5.5.2). */
function mappedAddress(host: string): Buffer {
  return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff, ...host.split('.').map(Number)])])
}

function ipv4In(bytes: Buffer): string | undefined {
  const isMapped = bytes.subarray(0, 12).equals(mappedAddress('0.0.0.0').subarray(0, 12))
  return isMapped ? [...bytes.subarray(12)].join('.') : undefined
}
