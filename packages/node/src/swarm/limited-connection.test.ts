import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { identify } from '@libp2p/identify'
import type { Connection, Libp2p } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import type { ProtocolId } from '@skein/core'
import { createLibp2p } from 'libp2p'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { pingConnection } from './liveness.ts'
import type { Stack } from './client-stack.ts'
import { createStack } from './stack.ts'
import { securedAndMuxed } from './stack-parts.ts'
import { silentLogger, TestNetwork } from './test-network.ts'

const ECHO: ProtocolId = '/skein/test-echo/1'
const network = new TestNetwork()
const stacks: Stack[] = []
let relay: Libp2p
let closeServer: () => void
let url: string

/** Somebody else's relay, with the library's limits: 128 KiB and 2 minutes per circuit. */
beforeEach(async () => {
  relay = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    ...securedAndMuxed(),
    services: { identify: identify(), relay: circuitRelayServer() },
  })
  const body = JSON.stringify({ version: 1, peer_id: relay.peerId.toString(), addresses: relay.getMultiaddrs().map(String) })
  const server = createServer((_request, response) => response.end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closeServer = () => server.close()
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  await network.clear()
  await Promise.all(stacks.splice(0).map((each) => each.stop()))
  closeServer()
  await relay.stop()
})

it('opens channels over a relay that limits its circuits', { timeout: 30_000 }, async () => {
  const [a, b] = [await network.swarm(), await network.swarm({ relays: [url] })]
  b.handle(ECHO, async (channel) => {
    for await (const frame of channel.frames()) await channel.send(frame)
  })
  await vi.waitFor(() => expect(b.relays()[0]?.reserved).toBe(true), { timeout: 20_000 })
  const outcome = await a.open(b.self, ECHO, { relays: [url] })
  if (outcome.kind !== 'open') throw new Error(outcome.reason)
  expect(a.paths().find(({ device }) => device === b.self)?.path).toBe('relayed')
  await outcome.channel.send(new Uint8Array([5]))
  const { value } = await outcome.channel.frames()[Symbol.asyncIterator]().next()
  expect(value).toEqual(new Uint8Array([5]))
})

/** Stacks make no connection of their own accord, so the two stay on the circuit. */
async function stackOn(seed: number): Promise<Stack> {
  const judge = { verify: () => true, isNewer: () => false }
  const privateKeySeed = new Uint8Array(32).fill(seed)
  const stack = await createStack({ privateKeySeed, listen: { host: '127.0.0.1', port: 0 }, stunServers: () => [], gater: {}, judge })
  stacks.push(stack)
  await stack.start()
  return stack
}

async function overCircuit(): Promise<readonly [Stack, Stack, Connection]> {
  const [a, b] = [await stackOn(1), await stackOn(2)]
  const { remoteAddr } = await b.dial(relay.getMultiaddrs())
  await b.services.transports.transportManager.listen([multiaddr(`${remoteAddr.toString()}/p2p-circuit`)])
  const connection = await a.dial(multiaddr(`${remoteAddr.toString()}/p2p-circuit/p2p/${b.peerId.toString()}`))
  expect(connection.limits).toBeDefined()
  return [a, b, connection]
}

it('hears gossip over a relay that limits its circuits', { timeout: 30_000 }, async () => {
  const [a, b] = await overCircuit()
  const topic = '/skein/test'
  const heard: string[] = []
  const receive = async (bytes: Uint8Array): Promise<'accept'> => {
    heard.push(new TextDecoder().decode(bytes))
    return 'accept'
  }
  for (const { services } of [a, b]) services.gossip.subscribe(topic, { receive, logger: silentLogger })
  let said = 0
  await vi.waitFor(
    async () => {
      await a.services.gossip.publish(topic, { bytes: new TextEncoder().encode(`${said++}`), logger: silentLogger })
      expect(heard).not.toEqual([])
    },
    { timeout: 10_000 },
  )
})

it('pings over a relay that limits its circuits', { timeout: 30_000 }, async () => {
  const [, , connection] = await overCircuit()
  await expect(pingConnection(connection, AbortSignal.timeout(5_000))).resolves.toBeUndefined()
})
