import { seededRandom, VirtualClock } from '@skein/core/testing'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, it, vi } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { ATTRIBUTE, BINDING_SUCCESS, encodeStun, encodeXorAddress, parseStun, resolveStun } from '../stun/index.ts'
import { NatKnowledge } from './nat-knowledge.ts'
import type { NatView } from './nat-probe.ts'

it('[PT10] when nobody has answered, it asks again after a while, and ever more seldom', async () => {
  const clock = new VirtualClock()
  const asked: number[] = []
  const found: boolean[] = []
  const knowledge = new NatKnowledge({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    // Nobody listens there.
    stunServers: () => [['stun:127.0.0.1:9']],
    isRelayReached: () => true,
    onUdp: (udp) => {
      asked.push(clock.monotonic())
      found.push(udp)
    },
  })
  void knowledge.renew()
  await vi.waitFor(
    async () => {
      await clock.advance(500)
      expect(asked).toHaveLength(3)
    },
    { timeout: 20_000, interval: 1 },
  )
  knowledge.stop()
  const [first = 0, second = 0, third = 0] = asked
  expect(found).toEqual([false, false, false])
  expect(second - first).toBeGreaterThan(30_000)
  expect(third - second).toBeGreaterThan(60_000)
})

it('[PT10] that a relay is silent which is not reached at all says nothing of UDP', async () => {
  const clock = new VirtualClock()
  const found: boolean[] = []
  const state = { isReached: false }
  const knowledge = new NatKnowledge({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    stunServers: () => [['stun:127.0.0.1:9']],
    isRelayReached: () => state.isReached,
    onUdp: (udp) => void found.push(udp),
  })
  const probed = async () => {
    const done = { view: undefined as NatView | undefined }
    void knowledge.probe().then((view) => (done.view = view))
    return vi.waitFor(
      async () => {
        await clock.advance(500)
        if (done.view === undefined) throw new Error('not yet')
        return done.view.udp
      },
      { timeout: 20_000, interval: 1 },
    )
  }
  expect([await probed(), found]).toEqual([null, []])
  state.isReached = true
  expect([await probed(), found]).toEqual([false, [false]])
  knowledge.stop()
})

/** A STUN server that counts, and says nothing until it is told to. */
async function server() {
  const socket = createSocket('udp4')
  const state = { asked: 0, isSilent: true }
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (bytes, { address, port }) => {
    const request = parseStun(bytes)
    state.asked += 1
    if (request === undefined || state.isSilent) return
    const attributes = [{ type: ATTRIBUTE.xorMappedAddress, value: encodeXorAddress({ host: address, port }, request.transaction) }]
    socket.send(encodeStun({ type: BINDING_SUCCESS, transaction: request.transaction, attributes }), port, address)
  })
  return { state, stun: `stun:127.0.0.1:${socket.address().port}`, close: () => socket.close() }
}

it('[PT10] a probe that was begun in another network decides nothing, and keeps nobody from the next one', async () => {
  const clock = new VirtualClock()
  const found: boolean[] = []
  const { state, stun, close } = await server()
  const knowledge = new NatKnowledge({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    stunServers: () => [[stun]],
    isRelayReached: () => true,
    onUdp: (udp) => void found.push(udp),
  })
  const asked = knowledge.probe()
  await vi.waitFor(() => expect(state.asked).toBeGreaterThan(0), { timeout: 20_000 })
  state.isSilent = false
  void knowledge.move()
  await vi.waitFor(
    async () => {
      await clock.advance(50)
      expect(found).not.toEqual([])
    },
    { timeout: 20_000, interval: 5 },
  )
  // Whoever waited for the old one has what the new one found.
  expect([found, (await asked).udp, knowledge.view().udp]).toEqual([[true], true, true])
  void knowledge.move()
  expect(knowledge.view().mapping).toBe('unknown')
  knowledge.stop()
  close()
})

it('[PT10] a name server that does not answer is not waited for', async () => {
  const clock = new VirtualClock()
  const { signal } = new AbortController()
  const find = (): Promise<never> => new Promise(() => undefined)
  const [found] = await Promise.all([resolveStun('stun:relay.test:3478', { clock, signal, find }), clock.advance(3_000)])
  expect(found).toBeUndefined()
  expect(await resolveStun('stun:relay.test:1', { clock, signal, find: async () => ({ address: '192.0.2.1' }) })).toEqual({
    host: '192.0.2.1',
    port: 1,
  })
  expect(await resolveStun('stun:[2001:db8::1]:1', { clock, signal })).toBeUndefined()
})
