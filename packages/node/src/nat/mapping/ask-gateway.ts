/** One question to a router over UDP, until it is answered. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock } from '@skein/core'

/** When the question is sent again, ms after the one before; a router on the same network has answered by then or never will. */
const AGAIN_AFTER_MS = [250, 500, 1_000] as const

export interface Question<T> {
  readonly gateway: string
  readonly port: number
  readonly clock: Pick<Clock, 'sleep'>
  readonly signal: AbortSignal
  readonly request: Buffer
  /** `undefined` for what is no answer. */
  read(bytes: Buffer): T | undefined
}

/** Only what comes from the router's own port counts. @returns nothing when nobody answers */
export async function askGateway<T>({ gateway, port, clock, signal, request, read }: Question<T>): Promise<T | undefined> {
  const socket = await connected(gateway, port)
  if (socket === undefined) return undefined
  const answered = new AbortController()
  let answer: T | undefined
  socket.on('message', (bytes) => {
    answer ??= read(bytes)
    if (answer !== undefined) answered.abort()
  })
  try {
    for (const wait of AGAIN_AFTER_MS) {
      socket.send(request, () => undefined)
      await clock.sleep(wait, { signal: AbortSignal.any([signal, answered.signal]) })
      if (answer !== undefined || signal.aborted) break
    }
    return answer
  } finally {
    socket.close()
  }
}

/** The address of this machine from which `gateway` is reached; nothing without a way there. */
export async function hostTowards(gateway: string): Promise<string | undefined> {
  const socket = await connected(gateway, 9)
  const host = socket?.address().address
  socket?.close()
  return host
}

/** A connected socket hears nobody else. */
async function connected(host: string, port: number): Promise<Socket | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.connect(port, host)
    await once(socket, 'connect')
  } catch {
    socket.close()
    return undefined
  }
  // Such as a port that is closed: whoever asks notices that nobody answers.
  socket.on('error', () => undefined)
  return socket
}
