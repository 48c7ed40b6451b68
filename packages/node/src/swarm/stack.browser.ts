/** libp2p for a client in a browser: it dials, and is dialled over WebRTC alone. */
import { webSockets } from '@libp2p/websockets'
import { createDisguise, type DisguisedStack } from './disguise.ts'
import { createClientStack, sharedTransports, type Stack, type StackOptions } from './client-stack.ts'

/** Time for a newcomer's first conversation before the page loads the rest, ms. */
export const REST_AFTER_MS = 3_000

/** Not started. @throws Error of libp2p */
export function createStack(options: StackOptions): Promise<Stack> {
  // The library's own rule for browsers refuses private addresses and WebSockets without TLS: every relay on a LAN.
  const gater = { denyDialMultiaddr: () => false, ...options.gater }
  return createClientStack(
    { ...options, gater },
    {
      listen: ['/webrtc'],
      transports: [webSockets(), ...sharedTransports(options)],
      restAfterMs: REST_AFTER_MS,
    },
  )
}

/** With a throw-away key, started. @throws Error of libp2p */
export function disguised(): Promise<DisguisedStack> {
  return createDisguise([webSockets()])
}
