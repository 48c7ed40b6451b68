/** Dialling a raw connection. */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawSocket } from './byte-reader.ts'
import { CONNECT_WITHIN_MS, HEAD_START_MS } from './constants.ts'
import type { Endpoint } from './endpoint.ts'
import { LandingReader } from './landing-reader.ts'

interface Opening {
  /** Proves itself on a socket that is connected. @throws Error when the other end is another, or is silent */
  open(raw: RawSocket, signal: AbortSignal): Promise<void>
  readonly signal: AbortSignal
}

/**
 * Dials each a moment after the one before, or at once when that has failed: one that swallows everything must not hide
 * the others. The first on which `open` succeeds stays.
 * @throws AggregateError when none does
 */
export async function dialFirst(endpoints: readonly Endpoint[], { open, signal }: Opening): Promise<RawSocket> {
  const over = new AbortController()
  const limited = AbortSignal.any([signal, over.signal])
  let before: Promise<unknown> = Promise.resolve()
  const attempts = endpoints.map((endpoint, at) => {
    const turn = at === 0 ? before : turnAfter(before, limited)
    const attempt = turn.then(() => openOne(endpoint, { open, signal: limited }))
    before = Promise.all([turn, attempt])
    before.catch(() => undefined)
    return attempt
  })
  try {
    return await Promise.any(attempts)
  } finally {
    over.abort()
  }
}

/** When the one before has failed, or has had its time alone. */
async function turnAfter(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  before.catch(() => failed.abort())
  await sleep(HEAD_START_MS, undefined, { signal: AbortSignal.any([signal, failed.signal]) }).catch(() => undefined)
  signal.throwIfAborted()
}

async function openOne(endpoint: Endpoint, { open, signal }: Opening): Promise<RawSocket> {
  const raw = await connectTo(endpoint, AbortSignal.any([signal, AbortSignal.timeout(CONNECT_WITHIN_MS)]))
  try {
    await open(raw, signal)
    signal.throwIfAborted()
    return raw
  } catch (error) {
    raw.socket.destroy()
    throw error
  }
}

/** @throws Error when nobody answers */
export function connectTo({ host, port }: Endpoint, signal: AbortSignal): Promise<RawSocket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const reader = new LandingReader()
    const socket: Socket = connect({ host, port, noDelay: true, onread: reader.onread })
    reader.attach(socket)
    const onAbort = (): void => void socket.destroy(new Error('dialling took too long'))
    const settled = (): void => signal.removeEventListener('abort', onAbort)
    signal.addEventListener('abort', onAbort, { once: true })
    // Whoever has the socket later looks at its end, not at this.
    socket.on('error', (error) => {
      settled()
      reject(error)
    })
    socket.once('connect', () => {
      settled()
      resolve({ socket, reader })
    })
  })
}
