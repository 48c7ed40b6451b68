/**
 * Announcements as mDNS messages (RFC 6762, RFC 6763): service `_skein._udp.local`, the announcement in the TXT record.
 * Names are made from the announcement, so that they change with it and say nothing of the device.
 */
import { createHash } from 'node:crypto'
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet } from 'dns-packet'
import { BEACON_PORT, MAX_MDNS_BYTES, MAX_MDNS_RECORDS, MDNS_TTL_S } from './constants.ts'
import { plain } from './datagrams.ts'
import type { Link } from './interfaces.ts'

const SERVICE = '_skein._udp.local'
/** libp2p's own (its specification of mDNS discovery), for programs of others. */
const PEERS = '_p2p._udp.local'
/** RFC 6763 §9: names all services of a network. */
const ALL_SERVICES = '_services._dns-sd._udp.local'
/** Of the announcement's digest, in hexadecimal digits. */
const NAME_DIGITS = 16
/** libp2p wants a name of 32 to 63 characters. */
const PEER_NAME_DIGITS = 32
/** A string in a TXT record has at most 255 bytes; some go to its key. */
const CHUNK_BYTES = 250
const CHUNK = /^a(\d{1,2})=/

export type MdnsMessage =
  /** Somebody asks for us. */
  | { readonly kind: 'question' }
  /** Somebody asks for peers of libp2p, whatever they speak. */
  | { readonly kind: 'peers' }
  /** None when they are taken back. */
  | { readonly kind: 'announcements'; readonly announcements: readonly Uint8Array[] }
  /** Longer, or with more in it, than anything that makes sense; not decoded. */
  | { readonly kind: 'absurd' }
  /** None of our business. */
  | { readonly kind: 'other' }

export function question(): Uint8Array {
  return encode({ type: 'query', id: 0, questions: [{ name: SERVICE, type: 'PTR' }] })
}

/** @param ttl seconds; 0 takes it back */
export function answer(announcement: Uint8Array, link: Link, ttl = MDNS_TTL_S): Uint8Array {
  const name = createHash('sha256').update(announcement).digest('hex').slice(0, NAME_DIGITS)
  const instance = `${name}.${SERVICE}`
  const host = `${name}.local`
  const answers: Answer[] = [
    { name: SERVICE, type: 'PTR', ttl, data: instance },
    { name: instance, type: 'SRV', ttl, data: { target: host, port: BEACON_PORT } },
    { name: instance, type: 'TXT', ttl, data: chunks(announcement) },
    { name: host, type: link.family === 4 ? 'A' : 'AAAA', ttl, data: link.address },
  ]
  return encode({ type: 'response', id: 0, flags: AUTHORITATIVE_ANSWER, answers })
}

/**
 * Our peer id and where we can be dialled, as libp2p's specification has it: a name that says nothing, and a `dnsaddr`.
 * @param place a multiaddr that ends in the peer id
 */
export function peerAnswer(place: string): Uint8Array {
  const name = `${createHash('sha256').update(place).digest('hex').slice(0, PEER_NAME_DIGITS)}.${PEERS}`
  const answers: Answer[] = [
    { name: PEERS, type: 'PTR', ttl: MDNS_TTL_S, data: name },
    { name, type: 'TXT', ttl: MDNS_TTL_S, data: [`dnsaddr=${place}`] },
  ]
  return encode({ type: 'response', id: 0, flags: AUTHORITATIVE_ANSWER, answers })
}

function chunks(bytes: Uint8Array): Buffer[] {
  const count = Math.ceil(bytes.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, at) =>
    Buffer.concat([Buffer.from(`a${at}=`), bytes.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES)]),
  )
}

/** Anything at all may come; what is not for us is `other`. */
export function parseMdns(bytes: Uint8Array): MdnsMessage {
  if (isAbsurd(bytes)) return { kind: 'absurd' }
  const packet = namesUs(bytes) ? tryDecode(bytes) : undefined
  if (packet === undefined) return { kind: 'other' }
  if (packet.type === 'query') return { kind: asks(packet, NAMES) ? 'question' : asks(packet, [PEERS]) ? 'peers' : 'other' }
  const texts = (packet.answers ?? []).filter((each) => each.type === 'TXT' && each.name.toLowerCase().endsWith(`.${SERVICE}`))
  const announcements = texts.flatMap((each) => announcementIn(each) ?? [])
  const isOurs = announcements.length > 0 || texts.some((each) => each.type === 'TXT' && each.ttl === 0)
  return isOurs ? { kind: 'announcements', announcements } : { kind: 'other' }
}

/** RFC 1035 §4.1.1: where the header counts what follows, in four numbers of two bytes. */
const COUNTS_AT = [4, 6, 8, 10]
const HEADER_BYTES = 12

/** Names are compressed: a few bytes become one of 255, and a message of 9 kB hundreds of records. */
function isAbsurd(bytes: Uint8Array): boolean {
  if (bytes.length > MAX_MDNS_BYTES || bytes.length < HEADER_BYTES) return true
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  return COUNTS_AT.reduce((sum, at) => sum + header.getUint16(at), 0) > MAX_MDNS_RECORDS
}

const LABELS = [SERVICE, ALL_SERVICES, PEERS].map((name) => name.split('.')[0] ?? '')

/** A name, compressed or not, has its first label in plain letters somewhere: most of what passes need not be decoded. */
function namesUs(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1').toLowerCase()
  return LABELS.some((label) => text.includes(label))
}

function tryDecode(bytes: Uint8Array): Packet | undefined {
  try {
    return decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  } catch {
    return undefined
  }
}

const NAMES: readonly string[] = [SERVICE, ALL_SERVICES]
const TYPES: readonly string[] = ['PTR', 'ANY']

const asks = ({ questions = [] }: Packet, names: readonly string[]): boolean =>
  questions.some(({ name, type }) => names.includes(name.toLowerCase()) && TYPES.includes(type))

/** A record that is taken back says nothing new. */
function announcementIn(record: Answer): Uint8Array | undefined {
  if (record.type !== 'TXT' || record.ttl === 0) return undefined
  const strings = (Array.isArray(record.data) ? record.data : [record.data]).map((each) => Buffer.from(each))
  const parts = strings.flatMap((each) => {
    const [key, number] = CHUNK.exec(each.toString('latin1')) ?? []
    return key === undefined ? [] : [{ number: Number(number), bytes: each.subarray(key.length) }]
  })
  return parts.length === 0
    ? undefined
    : plain(Buffer.concat(parts.sort((left, right) => left.number - right.number).map((part) => part.bytes)))
}
