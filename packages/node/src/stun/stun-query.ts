/** One question to a STUN server over any UDP socket, repeated until it is answered. */
import { lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import type { Clock, Random } from '@skein/core'
import {
  ATTRIBUTE,
  BINDING_ERROR,
  BINDING_REQUEST,
  BINDING_SUCCESS,
  decodeXorAddress,
  encodeStun,
  type Endpoint,
  parseStun,
  type StunAttribute,
  type StunMessage,
} from './stun-message.ts'

/** Before the first repetition, ms; doubles. RFC 8489 begins at 500, which is a long time for a person who waits. */
const REPEAT_AFTER_MS = 150
const QUESTIONS = 4

/** A name server that has gone with the network never answers, and the system asks it for half a minute, ms. */
const RESOLVE_WITHIN_MS = 3_000

/** What a question needs of a UDP socket. */
export interface Datagrams {
  send(bytes: Uint8Array, to: Endpoint): void
  /** The returned function ends it. */
  listen(receive: (bytes: Buffer, from: Endpoint) => void): () => void
}

export interface StunReply {
  /** Where the server saw the sender. */
  readonly seen: Endpoint
  /** From where the answer came. */
  readonly from: Endpoint
  readonly attributes: readonly StunAttribute[]
}

export interface StunQuestion {
  readonly server: Endpoint
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly attributes?: readonly StunAttribute[]
  /** The server does not do what it is asked: it is not asked again. */
  readonly onRefused?: (() => void) | undefined
  /** What came is not even STUN. */
  readonly onGarbage?: (() => void) | undefined
}

/** `undefined` when nobody answers, or the server refuses. */
export async function askStun(socket: Datagrams, question: StunQuestion): Promise<StunReply | undefined> {
  const { server, clock, random, attributes = [], onRefused, onGarbage } = question
  const transaction = Buffer.from(random.bytes(12))
  const request = encodeStun({ type: BINDING_REQUEST, transaction, attributes })
  const answered = new AbortController()
  const signal = AbortSignal.any([question.signal, answered.signal])
  let reply: StunReply | undefined
  const forget = socket.listen((bytes, from) => {
    const message = parseStun(bytes)
    if (message === undefined) return onGarbage?.()
    if (answered.signal.aborted || !message.transaction.equals(transaction)) return
    const found = readReply(message)
    if (found !== undefined) reply = { ...found, from }
    else if (message.type === BINDING_ERROR) onRefused?.()
    else return
    answered.abort()
  })
  for (let asked = 0; asked < QUESTIONS && !signal.aborted; asked += 1) {
    socket.send(request, server)
    await clock.sleep(REPEAT_AFTER_MS * 2 ** asked, { signal })
  }
  forget()
  return reply
}

function readReply({ type, transaction, attributes }: StunMessage): Omit<StunReply, 'from'> | undefined {
  const mapped = type === BINDING_SUCCESS ? attributes.find((each) => each.type === ATTRIBUTE.xorMappedAddress) : undefined
  const seen = mapped === undefined ? undefined : decodeXorAddress(mapped.value, transaction)
  return seen === undefined ? undefined : { seen, attributes }
}

export const attributeOf = ({ attributes }: StunReply, type: number): Buffer | undefined =>
  attributes.find((each) => each.type === type)?.value

export interface Resolution extends Pick<StunQuestion, 'clock' | 'signal'> {
  /** In place of the system's names. */
  readonly find?: (name: string) => Promise<{ readonly address: string }>
}

const findIPv4 = (name: string): Promise<{ readonly address: string }> => lookup(name, { family: 4 })

/** The IPv4 endpoint of `stun:host:port`; `undefined` when it has none, or none is told within RESOLVE_WITHIN_MS. */
export async function resolveStun(url: string, { clock, signal, find = findIPv4 }: Resolution): Promise<Endpoint | undefined> {
  const [, bracketed, plain, port = '3478'] = /^stun:(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(url) ?? []
  const name = bracketed ?? plain
  if (name === undefined) return undefined
  const found = find(name).then(
    // An address is told as it is, whatever was asked for.
    ({ address }) => (isIPv4(address) ? { host: address, port: Number(port) } : undefined),
    () => undefined,
  )
  const over = new AbortController()
  const late = clock.sleep(RESOLVE_WITHIN_MS, { signal: AbortSignal.any([signal, over.signal]) }).then(() => undefined)
  return Promise.race([found, late]).finally(() => over.abort())
}
