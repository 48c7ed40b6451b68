/** Looks at a relay from outside: whether each of its addresses answers, and as whom. */
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { webRTCDirect } from '@libp2p/webrtc'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { loadQuic } from './late-quic.ts'
import { securedAndMuxed } from './stack-parts.ts'

export interface Probed {
  readonly address: string
  /** Its IP address or name. */
  readonly host: string
  /** From the dial to the proof of its key, ms. */
  readonly ms: number
  /** Why it cannot be reached; `undefined` when it can. */
  readonly error: string | undefined
}

/** Tries one address after the other with a key of its own. @param addresses each ending in `/p2p/<peer id>` */
export async function probeRelay(addresses: readonly string[], { withinMs }: { readonly withinMs: number }): Promise<Probed[]> {
  const results: Probed[] = []
  for (const address of addresses) results.push(await probe(address, withinMs))
  return results
}

/** A node for each: an open connection would be taken for the next address of the same peer. */
async function probe(address: string, withinMs: number): Promise<Probed> {
  const quic = address.includes('/quic') ? await loadQuic() : undefined
  const node = await createLibp2p({
    transports: [tcp(), webSockets(), webRTCDirect({ rtcConfiguration: { iceServers: [] } }), ...(quic === undefined ? [] : [quic()])],
    ...securedAndMuxed(),
    connectionGater: { denyDialMultiaddr: () => false },
    services: { identify: identify() },
  })
  const started = performance.now()
  const outcome = await node.dial(multiaddr(address), { signal: AbortSignal.timeout(withinMs) }).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const ms = Math.round(performance.now() - started)
  // WebRTC may hang when it stops; the process that probes ends soon.
  await Promise.race([node.stop(), new Promise((resolve) => setTimeout(resolve, 1_000).unref())])
  return { address, host: multiaddr(address).getComponents()[0]?.value ?? '', ms, error: outcome }
}

/** The peer id that follows from a seed, without starting anything. @param seed Ed25519, 32 bytes */
export async function peerIdFromSeed(seed: Uint8Array): Promise<string> {
  return peerIdFromPrivateKey(await generateKeyPairFromSeed('Ed25519', seed)).toString()
}
