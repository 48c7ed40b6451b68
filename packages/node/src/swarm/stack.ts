/** libp2p for a client on Node.js. */
import type { Socket } from 'node:net'
import { tcp } from '@libp2p/tcp'
import { createDisguise, type DisguisedStack } from './disguise.ts'
import { guardedTcp } from './guarded-tcp.ts'
import { guardedWebSockets } from './guarded-websockets.ts'
import { createClientStack, EVERYWHERE, type ListenOptions, sharedTransports, type Stack, type StackOptions } from './client-stack.ts'

/** Not started. @throws Error of libp2p */
export function createStack(options: StackOptions): Promise<Stack> {
  return createClientStack(options, {
    listen: listenAddresses(options.listen),
    transports: [guardedTcp({ onRaw: options.onRaw ?? refuse }), guardedWebSockets(), ...sharedTransports(options)],
  })
}

function refuse(socket: Socket): void {
  socket.destroy()
}

/** With a throw-away key, started. @throws Error of libp2p */
export function disguised(): Promise<DisguisedStack> {
  return createDisguise([tcp(), guardedWebSockets()])
}

/** The library puts up with a machine that has no IPv6. */
export function listenAddresses({ host = EVERYWHERE, port, ws }: ListenOptions): string[] {
  const hosts = host === EVERYWHERE ? [EVERYWHERE, '::'] : [host]
  const bases = hosts.map((each) => `/${each.includes(':') ? 'ip6' : 'ip4'}/${each}/tcp`)
  return [...bases.flatMap((base) => [`${base}/${port}`, ...(ws === undefined ? [] : [`${base}/${ws}/ws`])]), '/webrtc']
}
