import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { systemClock, systemRandom } from '../platform/system.ts'
import { ATTRIBUTE, BINDING_ERROR, BINDING_SUCCESS, encodeStun, encodeXorAddress, type Endpoint, parseStun } from '../stun/index.ts'
import { NatKnowledge } from './nat-knowledge.ts'
import { probeNat } from './nat-probe.ts'

const open: Socket[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

/** Two ports of one server; what they say they saw is made by `see`, from what they saw and the number of the port. */
async function servers(
  see: (from: Endpoint, port: number) => Endpoint | 'silence' | 'garbage',
  changesPort: boolean | 'refuses' = true,
): Promise<string[]> {
  const sockets = [createSocket('udp4'), createSocket('udp4')]
  open.push(...sockets)
  for (const [number, socket] of sockets.entries()) {
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    socket.on('message', (bytes, { address, port }) => {
      const request = parseStun(bytes)
      const seen = see({ host: address, port }, number)
      if (request === undefined || seen === 'silence') return
      if (seen === 'garbage') return void socket.send(Buffer.from('no stun at all'), port, address)
      const change = request.attributes.some(({ type }) => type === ATTRIBUTE.changeRequest)
      if (change && changesPort === 'refuses')
        return void socket.send(encodeStun({ type: BINDING_ERROR, transaction: request.transaction, attributes: [] }), port, address)
      if (change && !changesPort) return
      const attributes = [{ type: ATTRIBUTE.xorMappedAddress, value: encodeXorAddress(seen, request.transaction) }]
      const answer = encodeStun({ type: BINDING_SUCCESS, transaction: request.transaction, attributes })
      const from = change ? sockets[1 - number] : socket
      from?.send(answer, port, address)
    })
  }
  return sockets.map((each) => `stun:127.0.0.1:${each.address().port}`)
}

const probe = (stun: readonly string[], ownHosts: readonly string[] = []) => probeAt([stun], ownHosts)
const probeAt = (stunServers: readonly (readonly string[])[], ownHosts: readonly string[] = []) =>
  probeNat({
    clock: systemClock,
    random: systemRandom,
    stunServers,
    ownHosts,
    signal: new AbortController().signal,
    onGarbage: () => (garbage += 1),
  })
let garbage = 0

describe('NAT probe', { timeout: 30_000 }, () => {
  it('[PT10] knows that there is no NAT, and that anybody may answer', async () => {
    const found = await probe(await servers((from) => from), ['127.0.0.1'])
    expect(found).toMatchObject({ udp: true, mapping: 'none', filtering: 'open', hairpin: null, ipv6: false })
  })

  it('[PT10] knows whether a NAT turns packets round', async () => {
    expect(await probe(await servers((from) => from))).toMatchObject({ mapping: 'same', hairpin: true })
  })

  it.each([
    [0, 'same'],
    [1, 'sequential'],
    [7_000, 'random'],
  ] as const)('[PT10] tells from two ports %i apart that they are %s', async (apart, mapping) => {
    const stun = await servers(({ port }, number) => ({ host: '203.0.113.9', port: ((port + number * apart) % 50_000) + 1_024 }))
    expect(await probe(stun)).toMatchObject({ udp: true, mapping, seen_as: expect.stringMatching(/^203\.0\.113\.9:\d+$/) })
  })

  it('[PT10] asks two relays before two ports of one: a port may depend on the address alone', async () => {
    const relays = await Promise.all(
      [0, 7_000].map((apart) => servers(({ port }) => ({ host: '203.0.113.9', port: ((port + apart) % 50_000) + 1_024 }))),
    )
    expect(await probeAt(relays)).toMatchObject({ udp: true, mapping: 'random' })
  })

  it('[PT10] compares ports where the internet sees one address: a relay in the same network, or on another way out, sees others', async () => {
    const inside = await servers(({ port }) => ({ host: '192.168.1.20', port }))
    const outside = await servers(() => ({ host: '9.9.9.9', port: 51_234 }), 'refuses')
    const elsewhere = await servers(() => ({ host: '8.8.8.8', port: 4_000 }))
    const found = { mapping: 'same', seen_as: '9.9.9.9:51234', filtering: 'unknown', hairpin: null }
    expect(await probeAt([inside, outside, elsewhere])).toMatchObject(found)
  })

  it('[PT10] sends nothing to where one relay sees this machine and another one does not', async () => {
    const relays = [await servers((from) => from), await servers(({ port }) => ({ host: '127.0.0.9', port }))]
    expect(await probeAt(relays)).toMatchObject({ udp: true, hairpin: null })
    expect(await probeAt([...relays.slice(0, 1), await servers((from) => from)])).toMatchObject({ hairpin: true })
  })

  it('[PT10] has two ports to compare where the second relay does not answer', async () => {
    const relays = await Promise.all([servers(() => ({ host: '203.0.113.9', port: 4_000 })), servers(() => 'silence')])
    expect(await probeAt(relays)).toMatchObject({ udp: true, mapping: 'same' })
  })

  it('[PT10] finds strict filtering when no answer comes from another port', async () => {
    expect(await probe(await servers((from) => from, false))).toMatchObject({ udp: true, filtering: 'strict' })
  })

  it('[PT10] does not know the filtering where the server has no other port to answer from, and does not wait for it', async () => {
    expect(await probe(await servers((from) => from, 'refuses'))).toMatchObject({ udp: true, filtering: 'unknown' })
  })

  it.each(['silence', 'garbage'] as const)('[PT10] takes %s for UDP that does not get through', async (answer) => {
    garbage = 0
    expect(await probe(await servers(() => answer))).toMatchObject({ udp: false, mapping: 'unknown', seen_as: null })
    expect(garbage > 0).toBe(answer === 'garbage')
  })

  it('[PT10] asks nobody without a relay', async () => {
    expect(await probe([])).toMatchObject({ udp: null, mapping: 'unknown', hairpin: null })
  })

  it('[PT10] is made once for all who ask at the same time', async () => {
    let asked = 0
    const stun = await servers((from) => ((asked += 1), from))
    const told: unknown[] = []
    const knowledge = new NatKnowledge({
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      stunServers: () => [stun],
      isRelayReached: () => true,
      onUdp: (...found) => void told.push(found),
    })
    const views = await Promise.all([knowledge.probe(), knowledge.probe(), knowledge.probe()])
    expect(new Set(views).size).toBe(1)
    expect(told).toEqual([[true, true]])
    expect(knowledge.view()).toBe(views[0])
    const before = asked
    await knowledge.probe()
    expect(asked).toBeGreaterThan(before)
  })
})
