import type * as WebRTC from '@libp2p/webrtc'
import type { WebRTCTransportInit } from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createRelayStack, type RelayStack } from './relay-stack.ts'
import type { Stack } from './client-stack.ts'
import { createStack, listenAddresses } from './stack.ts'
import { silentLogger } from './test-network.ts'

const given: Record<string, WebRTCTransportInit | undefined> = {}
vi.mock('@libp2p/webrtc', async (load) => {
  const real = await load<typeof WebRTC>()
  return {
    ...real,
    webRTC: (init?: WebRTCTransportInit) => ((given['webrtc'] = init), real.webRTC(init)),
    webRTCDirect: (init?: WebRTCTransportInit) => ((given['webrtc-direct'] = init), real.webRTCDirect(init)),
  }
})

const asFunction = (init: WebRTCTransportInit | undefined) => {
  if (typeof init?.rtcConfiguration !== 'function') throw new Error('the library would use its own STUN servers')
  return init.rtcConfiguration()
}

const running: (Stack | RelayStack)[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})

function client(stunServers: readonly string[] = []): Promise<Stack> {
  const judge = { verify: () => true, isNewer: () => false }
  const listen = { host: '127.0.0.1', port: 0 }
  return createStack({ privateKeySeed: new Uint8Array(32), listen, stunServers: () => stunServers, gater: {}, judge })
}

async function startedClient(): Promise<Stack> {
  const stack = await client()
  running.push(stack)
  await stack.start()
  return stack
}

async function relay(): Promise<RelayStack> {
  const durable = { get: () => undefined, put: () => undefined, delete: () => undefined }
  const listen = { host: '127.0.0.1', tcp: 0, ws: 'off', webrtc: 'off' } as const
  const stack = await createRelayStack({ privateKeySeed: new Uint8Array(32).fill(1), listen, durable, logger: silentLogger })
  running.push(stack)
  return stack
}

describe('stack', () => {
  it('listens on both families unless an address is named', () => {
    expect(listenAddresses({ port: 7 })).toEqual(['/ip4/0.0.0.0/tcp/7', '/ip6/::/tcp/7', '/webrtc'])
    expect(listenAddresses({ host: '127.0.0.1', port: 7, ws: 8 })).toEqual(['/ip4/127.0.0.1/tcp/7', '/ip4/127.0.0.1/tcp/8/ws', '/webrtc'])
    expect(listenAddresses({ host: 'fd00::1', port: 7 })).toEqual(['/ip6/fd00::1/tcp/7', '/webrtc'])
  })

  it("asks no STUN server but those of the user's relays, which may change", async () => {
    const servers: string[] = []
    await client(servers)
    for (const kind of ['webrtc', 'webrtc-direct']) {
      servers.length = 0
      expect(await asFunction(given[kind])).toEqual({ iceServers: [] })
      servers.push('stun:192.0.2.1:3478')
      expect(await asFunction(given[kind])).toEqual({ iceServers: [{ urls: 'stun:192.0.2.1:3478' }] })
    }
  })

  it('asks no STUN server at all as a relay', async () => {
    given['webrtc-direct'] = undefined
    await relay()
    expect(given['webrtc-direct']).toEqual({ rtcConfiguration: { iceServers: [] } })
  })

  it('neither client nor relay speaks DCUtR, which cannot punch here and closes the circuit it was asked over', async () => {
    const [own, hub] = [await startedClient(), await relay()]
    expect(own.getProtocols()).toContain('/ipfs/ping/1.0.0')
    expect(own.getProtocols().filter((each) => each.includes('dcutr'))).toEqual([])
    const { remotePeer } = await own.dial(multiaddr(hub.addresses()[0]))
    // The protocols of a peer are known once it has identified itself.
    const theirs = await vi.waitFor(
      async () => {
        const { protocols } = await own.peerStore.get(remotePeer)
        expect(protocols).toContain('/ipfs/ping/1.0.0')
        return protocols
      },
      { timeout: 10_000 },
    )
    expect(theirs.filter((each) => each.includes('dcutr'))).toEqual([])
  })
})
