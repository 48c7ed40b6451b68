/** libp2p for a client on Node.js. */
import type { Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createDisguise } from './disguise.ts'
import { guardedWebSockets } from './guarded-websockets.ts'
import { createClientStack, type ListenOptions, sharedTransports, type Stack, type StackOptions } from './client-stack.ts'

/** Not started. @throws Error of libp2p */
export function createStack(options: StackOptions): Promise<Stack> {
  return createClientStack(options, {
    listen: listenAddresses(options.listen),
    transports: [tcp(), guardedWebSockets(), ...sharedTransports(options)],
  })
}

/** With a throw-away key, started. @throws Error of libp2p */
export function disguised(): Promise<Libp2p> {
  return createDisguise([tcp(), guardedWebSockets()])
}

function listenAddresses({ host = '0.0.0.0', port, ws }: ListenOptions): string[] {
  const base = `/${host.includes(':') ? 'ip6' : 'ip4'}/${host}/tcp`
  return [`${base}/${port}`, ...(ws === undefined ? [] : [`${base}/${ws}/ws`]), '/webrtc']
}
