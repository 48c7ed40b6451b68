/** Opening ports, with one error that says which port is taken. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { EventEmitter } from 'node:events'
import { createServer, isIPv6 } from 'node:net'
import { SkeinError } from '@skein/core'

/** Starts a server or socket and waits until it listens. @throws SkeinError PORT_IN_USE, USAGE if the port may not be opened */
export async function openPort(
  socket: EventEmitter,
  { port, start }: { readonly port: number; readonly start: () => void },
): Promise<void> {
  try {
    const listening = once(socket, 'listening')
    start()
    await listening
  } catch (error) {
    throw explainPort(error, port)
  }
}

/** A PORT_IN_USE or a USAGE for what the operating system says; anything else as it is. */
export function explainPort(error: unknown, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') return new SkeinError('PORT_IN_USE', `Port ${port} is already in use.`, { data: { port }, cause: error })
  if (code === 'EACCES')
    return new SkeinError('USAGE', `Port ${port} may not be opened without more rights.`, { data: { port }, cause: error })
  if (code === 'EADDRNOTAVAIL') return new SkeinError('USAGE', '--host is no address of this machine.', { cause: error })
  return error
}

/** Opens and closes a port that libp2p will open: its own error does not say which one is taken. @throws SkeinError PORT_IN_USE */
export async function probePort(kind: 'tcp' | 'udp', host: string, port: number | 'off'): Promise<void> {
  if (port === 'off' || port === 0) return
  if (kind === 'tcp') {
    const server = createServer()
    await openPort(server, { port, start: () => server.listen(port, host) })
    return new Promise((resolve) => server.close(() => resolve()))
  }
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  await openPort(socket, { port, start: () => socket.bind(port, host) })
  return new Promise((resolve) => socket.close(() => resolve()))
}
