/** Dialling a raw connection. */
import { connect, type Socket } from 'node:net'
import type { Endpoint } from './endpoint.ts'

/** Dials one after the other. @returns a socket that is not flowing @throws Error when nobody answers */
export async function connectTo(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<Socket> {
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

function connectOnce({ host, port }: Endpoint, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = connect({ host, port, noDelay: true })
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
      resolve(socket)
    })
  })
}
