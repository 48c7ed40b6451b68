/** TCP reflector: writes the address it sees and closes; with it two devices behind NATs punch TCP holes. */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { hostPort } from './config.ts'
import { openPort } from './port-in-use.ts'

/** Open connections at once; each lives milliseconds. */
const MAX_CONNECTIONS = 256
/** Ms until a connection that does not close by itself is cut. */
const TIMEOUT_MS = 2_000

export interface Reflector extends AsyncDisposable {
  readonly port: number
}

/** @throws SkeinError PORT_IN_USE */
export async function startReflector(host: string, port: number): Promise<Reflector> {
  const open = new Set<Socket>()
  const server = createServer((socket) => reflect(socket, open))
  server.maxConnections = MAX_CONNECTIONS
  await openPort(server, { port, start: () => server.listen(port, host) })
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const each of open) each.destroy()
      }),
  }
}

function reflect(socket: Socket, open: Set<Socket>): void {
  open.add(socket)
  const cut = setTimeout(() => socket.destroy(), TIMEOUT_MS)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    clearTimeout(cut)
    open.delete(socket)
  })
  // What the other side sends is read and forgotten: unread bytes would turn the close into a reset.
  socket.resume()
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/i, '')
  socket.end(`${hostPort(address, socket.remotePort ?? 0)}\n`)
}
