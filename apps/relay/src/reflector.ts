/** TCP reflector: writes the address it sees and closes; with it two devices behind NATs punch TCP holes. */
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { type ShareBounds, Shares } from '@skein/core'
import { originOf } from './admission/networks.ts'
import { hostPort } from './config.ts'
import { openPort } from './port-in-use.ts'

/** Ms until a connection that does not close by itself is cut. */
const TIMEOUT_MS = 2_000

export interface Reflector extends AsyncDisposable {
  readonly port: number
}

export interface ReflectorOptions {
  readonly host: string
  readonly port: number
  /** Open connections at once, of one address, one network and in all; each lives milliseconds. */
  bounds(): Omit<ShareBounds, 'connection'>
  onRefused(reason: string): void
}

/** @throws SkeinError PORT_IN_USE */
export async function startReflector({ host, port, bounds, onRefused }: ReflectorOptions): Promise<Reflector> {
  const open = new Set<Socket>()
  const shares = new Shares(() => ({ connection: Number.POSITIVE_INFINITY, ...bounds() }))
  const server = createServer((socket) => {
    const origin = originOf(socket.remoteAddress)
    if (!shares.take(origin, 1)) {
      onRefused('connections')
      return void socket.destroy()
    }
    socket.once('close', () => shares.give(origin, 1))
    reflect(socket, open, () => onRefused('timeout'))
  })
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

function reflect(socket: Socket, open: Set<Socket>, onSlow: () => void): void {
  open.add(socket)
  const cut = setTimeout(() => {
    onSlow()
    socket.destroy()
  }, TIMEOUT_MS)
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
