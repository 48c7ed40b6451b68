/** Dialling a raw connection. */
import { connect, type Socket } from 'node:net'
import type { RawSocket } from './byte-reader.ts'
import type { Endpoint } from './endpoint.ts'
import { LandingReader } from './landing-reader.ts'

/** Dials one after the other. @throws Error when nobody answers */
export async function connectTo(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<RawSocket> {
  let reason: unknown = new Error('no address is known')
  for (const endpoint of endpoints) {
    try {
      return await connectOnce(endpoint, signal)
    } catch (error) {
      reason = error
    }
  }
  throw reason
}

function connectOnce({ host, port }: Endpoint, signal: AbortSignal): Promise<RawSocket> {
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
