/** STUN binding messages (RFC 8489), as far as a server without credentials and its clients need them. */
import { randomBytes } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { crc32 } from 'node:zlib'

export const BINDING_REQUEST = 0x0001
export const BINDING_SUCCESS = 0x0101
export const BINDING_ERROR = 0x0111
const MAGIC_COOKIE = 0x2112a442
const HEADER_BYTES = 20
const TRANSACTION_BYTES = 12
/** RFC 8489 §14.7. */
const FINGERPRINT_XOR = 0x5354554e
/** Larger than any binding request; a bound on the work for one datagram. */
const MAX_MESSAGE_BYTES = 1_280

export const ATTRIBUTE = {
  changeRequest: 0x0003,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
  otherAddress: 0x802c,
  /** Ours, from the range that others ignore: where a sender was seen, proven to somebody who uses the same server. */
  seenNonce: 0xc5e1,
  seenToken: 0xc5e2,
  seenHost: 0xc5e3,
  seenVerdict: 0xc5e4,
} as const

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface StunAttribute {
  readonly type: number
  readonly value: Buffer
}

export interface StunMessage {
  readonly type: number
  /** 12 bytes. */
  readonly transaction: Buffer
  readonly attributes: readonly StunAttribute[]
}

/** The message, or `undefined` if the bytes are none: unasked bytes get no answer. */
export function parseStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > MAX_MESSAGE_BYTES || bytes.readUInt32BE(4) !== MAGIC_COOKIE) return undefined
  const type = bytes.readUInt16BE(0)
  const length = bytes.readUInt16BE(2)
  if (type > 0x3fff || length % 4 !== 0 || length + HEADER_BYTES !== bytes.length) return undefined
  const attributes = parseAttributes(bytes)
  return attributes === undefined ? undefined : { type, transaction: bytes.subarray(8, HEADER_BYTES), attributes }
}

function parseAttributes(bytes: Buffer): StunAttribute[] | undefined {
  const found: StunAttribute[] = []
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const type = bytes.readUInt16BE(at)
    const length = bytes.readUInt16BE(at + 2)
    const end = at + 4 + length
    if (end > bytes.length) return undefined
    if (type === ATTRIBUTE.fingerprint && !isFingerprint(bytes, at)) return undefined
    found.push({ type, value: bytes.subarray(at + 4, end) })
    at = end + padding(length)
  }
  return found
}

/** It must be the last attribute and cover everything before it (RFC 8489 §14.7). */
function isFingerprint(bytes: Buffer, at: number): boolean {
  return at + 8 === bytes.length && bytes.readUInt32BE(at + 4) === fingerprintOf(bytes.subarray(0, at))
}

function fingerprintOf(before: Buffer): number {
  return (crc32(before) ^ FINGERPRINT_XOR) >>> 0
}

/** Header, attributes and FINGERPRINT. */
export function encodeStun(message: StunMessage): Buffer {
  const body = Buffer.concat(message.attributes.map(encodeAttribute))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt16BE(message.type, 0)
  header.writeUInt16BE(body.length + 8, 2)
  header.writeUInt32BE(MAGIC_COOKIE, 4)
  message.transaction.copy(header, 8)
  const before = Buffer.concat([header, body])
  const fingerprint = Buffer.alloc(4)
  fingerprint.writeUInt32BE(fingerprintOf(before))
  return Buffer.concat([before, encodeAttribute({ type: ATTRIBUTE.fingerprint, value: fingerprint })])
}

function encodeAttribute({ type, value }: StunAttribute): Buffer {
  const bytes = Buffer.alloc(4 + value.length + padding(value.length))
  bytes.writeUInt16BE(type, 0)
  bytes.writeUInt16BE(value.length, 2)
  value.copy(bytes, 4)
  return bytes
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4
}

/** Value of MAPPED-ADDRESS and its kin (RFC 8489 §14.1). */
export function encodeAddress({ host, port }: Endpoint): Buffer {
  const address = addressBytes(host)
  const bytes = Buffer.alloc(4 + address.length)
  bytes.writeUInt8(address.length === 4 ? 1 : 2, 1)
  bytes.writeUInt16BE(port, 2)
  address.copy(bytes, 4)
  return bytes
}

/** Value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2): hidden from NATs that rewrite addresses in payloads. */
export function encodeXorAddress(endpoint: Endpoint, transaction: Buffer): Buffer {
  return xorAddress(encodeAddress(endpoint), transaction)
}

/** @returns the endpoint in a XOR-MAPPED-ADDRESS, or `undefined` if the value is malformed */
export function decodeXorAddress(value: Buffer, transaction: Buffer): Endpoint | undefined {
  if (value.length !== 8 && value.length !== 20) return undefined
  const plain = xorAddress(Buffer.from(value), transaction)
  const address = plain.subarray(4)
  const groups = Array.from({ length: address.length / 2 }, (_, index) => address.readUInt16BE(index * 2).toString(16))
  return { host: address.length === 4 ? address.join('.') : groups.join(':'), port: plain.readUInt16BE(2) }
}

function xorAddress(value: Buffer, transaction: Buffer): Buffer {
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(MAGIC_COOKIE)
  transaction.copy(mask, 4)
  for (let i = 0; i < 2; i++) value[2 + i] = (value[2 + i] ?? 0) ^ (mask[i] ?? 0)
  for (let i = 4; i < value.length; i++) value[i] = (value[i] ?? 0) ^ (mask[i - 4] ?? 0)
  return value
}

function addressBytes(host: string): Buffer {
  if (isIPv4(host)) return Buffer.from(host.split('.').map(Number))
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1]
  return mapped === undefined ? ipv6Bytes(host) : addressBytes(mapped)
}

function ipv6Bytes(host: string): Buffer {
  const [head = '', tail] = (host.split('%')[0] ?? '').split('::')
  const groups = (text: string | undefined): string[] => (text === undefined || text === '' ? [] : text.split(':'))
  const missing = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)]
  return Buffer.from(all.map((each) => each.padStart(4, '0')).join(''), 'hex')
}

/** A question for one's own address, as clients ask it. */
export function encodeBindingRequest(): Buffer {
  return encodeStun({ type: BINDING_REQUEST, transaction: randomBytes(TRANSACTION_BYTES), attributes: [] })
}
