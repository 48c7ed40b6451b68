/**
 * How a raw connection is opened (BU2): the dialler names a ticket, the acceptor sends a fresh challenge, and both prove
 * by a MAC that they have the ticket's key. The key is never sent here.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { BULK_TICKET_BYTES, type BulkSecret } from '@skein/core'
import type { ByteReader, RawSocket } from './byte-reader.ts'
import { CHALLENGE_BYTES, MAGIC, OPENING_WITHIN_MS } from './constants.ts'

const MAC_BYTES = 32
const DIALLER = 'skein bulk 1 dialler'
const ACCEPTOR = 'skein bulk 1 acceptor'

interface Opened {
  readonly ticket: Uint8Array
  readonly challenge: Uint8Array
  /** Of the dialler, so that the acceptor's proof is fresh as well. */
  readonly nonce: Uint8Array
}

function mac(key: Uint8Array, side: string, { ticket, challenge, nonce }: Opened): Buffer {
  return createHmac('sha256', key).update(side).update(ticket).update(challenge).update(nonce).digest()
}

/**
 * Opens from the dialling side, on a socket of which nothing has been read.
 * @throws Error when the other side does not prove that it has the key, or is silent; the socket is the caller's to end
 */
export function proveTo({ socket, reader }: RawSocket, { ticket, key }: BulkSecret, signal: AbortSignal): Promise<void> {
  return within(reader, signal, async (exactly) => {
    socket.write(Buffer.concat([MAGIC, ticket]))
    const challenge = await exactly(CHALLENGE_BYTES)
    const opened = { ticket, challenge, nonce: randomBytes(CHALLENGE_BYTES) }
    socket.write(Buffer.concat([opened.nonce, mac(key, DIALLER, opened)]))
    const proof = await exactly(MAC_BYTES)
    if (!timingSafeEqual(proof, mac(key, ACCEPTOR, opened))) throw new Error('the other side does not have the key')
  })
}

/** A ticket that somebody on a raw connection has named. */
export interface Named {
  readonly key: Uint8Array
}

export interface DemandOptions<T extends Named> {
  /** What belongs to a ticket; `undefined` when nothing does. */
  find(ticket: Uint8Array): T | undefined
  /** Somebody has named this ticket and does not have its key. */
  onWrong(named: T): void
  /** The last word before the acceptor's proof: whether it is still wanted. */
  take(named: T): boolean
  readonly signal: AbortSignal
}

/**
 * Opens from the accepting side, on a socket of which nothing has been read.
 * @returns what the ticket stands for
 * @throws Error for anybody who does not prove to have a key that is waited for; the socket is the caller's to end
 */
export function demandProof<T extends Named>({ socket, reader }: RawSocket, { find, onWrong, take, signal }: DemandOptions<T>): Promise<T> {
  return within(reader, signal, async (exactly) => {
    const hello = await exactly(MAGIC.length + BULK_TICKET_BYTES)
    if (!hello.subarray(0, MAGIC.length).equals(MAGIC)) throw new Error('no raw connection of ours')
    const ticket = hello.subarray(MAGIC.length)
    const named = find(ticket)
    if (named === undefined) throw new Error('nobody waits for this ticket')
    const challenge = randomBytes(CHALLENGE_BYTES)
    socket.write(challenge)
    const reply = await exactly(CHALLENGE_BYTES + MAC_BYTES)
    const opened = { ticket, challenge, nonce: reply.subarray(0, CHALLENGE_BYTES) }
    if (!timingSafeEqual(reply.subarray(CHALLENGE_BYTES), mac(named.key, DIALLER, opened))) {
      onWrong(named)
      throw new Error('the other side does not have the key')
    }
    if (!take(named)) throw new Error('the ticket has been used')
    socket.write(mac(named.key, ACCEPTOR, opened))
    return named
  })
}

function within<T>(reader: ByteReader, signal: AbortSignal, open: (exactly: (count: number) => Promise<Buffer>) => Promise<T>): Promise<T> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(OPENING_WITHIN_MS)])
  return open((count) => reader.exactly(count, limited))
}
