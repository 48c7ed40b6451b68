/** libp2p for a client in a browser: it dials, and is dialled over WebRTC alone. */
import { webSockets } from '@libp2p/websockets'
import { createClientStack, sharedTransports, type Stack, type StackOptions } from './client-stack.ts'

/** Not started. @throws Error of libp2p */
export function createStack(options: StackOptions): Promise<Stack> {
  // The library's own rule for browsers refuses private addresses and WebSockets without TLS: every relay on a LAN.
  const gater = { denyDialMultiaddr: () => false, ...options.gater }
  return createClientStack({ ...options, gater }, { listen: ['/webrtc'], transports: [webSockets(), ...sharedTransports(options)] })
}
