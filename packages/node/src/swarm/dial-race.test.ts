import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { parseDeviceId } from '@skein/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../platform/system.ts'
import { untilAborted } from './abandon.ts'
import type { Stack } from './client-stack.ts'
import { attempt, dialRelay } from './dial-race.ts'
import type { RelayDescription } from './relay-description.ts'
import { createStack } from './stack.ts'
import { TestNetwork } from './test-network.ts'

const network = new TestNetwork()
const held: Socket[] = []
let stack: Stack
let silent: Server

beforeEach(async () => {
  const judge = { verify: () => true, isNewer: () => false }
  stack = await createStack({
    privateKeySeed: new Uint8Array(32).fill(7),
    listen: { host: '127.0.0.1', port: 0 },
    stunServers: () => [],
    gater: {},
    judge,
  })
  await stack.start()
  // Takes connections and never says a word, as a network does that drops what it does not like.
  silent = createServer((socket) => held.push(socket))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
})

afterEach(async () => {
  for (const each of held.splice(0)) each.destroy()
  silent.close()
  await stack.stop()
  await network.clear()
})

async function described(): Promise<RelayDescription> {
  const relay = (await network.relay(141)).stack()
  return { device: parseDeviceId(relay.peerId), addresses: relay.addresses(), stun: [], reflector: null, givesPlaces: true }
}

const limit = { clock: systemClock, signal: new AbortController().signal }

describe('dialling a relay', { timeout: 60_000 }, () => {
  it('[PT3] reaches it by WebSocket where TCP is dropped in silence', async () => {
    const relay = await described()
    const { port } = silent.address() as AddressInfo
    const addresses = relay.addresses.map((each) => (each.includes('/ws') ? each : each.replace(/tcp\/\d+/, `tcp/${port}`)))
    const connection = await dialRelay(stack, { ...relay, addresses }, limit)
    expect(connection.remoteAddr.toString()).toContain('/ws')
    expect(held.length).toBeGreaterThan(0)
  })

  it('[PT15] does not wait with the address that answered last, however long those before it hang', async () => {
    const relay = await described()
    const { port } = silent.address() as AddressInfo
    const open = relay.addresses.find((each) => each.includes('/ws')) ?? ''
    const shut = `/ip4/127.0.0.1/tcp/${port}/p2p/${relay.device}`
    // Of a clock that stands still nobody's turn comes.
    const clock = { ...systemClock, sleep: (_ms: number, { signal = limit.signal } = {}) => untilAborted(signal).then(() => false) }
    const connection = await dialRelay(stack, { ...relay, addresses: [shut, open] }, { ...limit, clock, lately: open })
    expect(connection.remoteAddr.toString()).toBe(open)
  })

  it('[PT3] prefers TCP, leaves one connection and takes it again', async () => {
    const relay = await described()
    const connection = await dialRelay(stack, relay, limit)
    expect(connection.remoteAddr.toString()).not.toContain('/ws')
    expect(await dialRelay(stack, relay, limit)).toBe(connection)
    expect(stack.getConnections()).toEqual([connection])
  })

  it('[PT3] says so when no address answers', async () => {
    const relay = await described()
    const addresses = relay.addresses.map((each) => each.replace(/tcp\/\d+/, 'tcp/1'))
    await expect(dialRelay(stack, { ...relay, addresses }, limit)).rejects.toThrow()
  })

  it('[PT3] a dial that hangs since the relay was away keeps nobody from one that is back, and ends with that', async () => {
    const relay = await described()
    const { port } = silent.address() as AddressInfo
    const away = { ...relay, addresses: [`/ip4/127.0.0.1/tcp/${port}/p2p/${relay.device}`] }
    const hanging = dialRelay(stack, away, limit)
    const connection = await dialRelay(stack, relay, limit)
    expect(await hanging).toBe(connection)
    expect(stack.getConnections()).toEqual([connection])
  })
})

it('an attempt that begins when it is given up already knows so, and leaves one alone that has succeeded', async () => {
  const given: AbortSignal[] = []
  const begin = async (signal: AbortSignal): Promise<never> => {
    given.push(signal)
    signal.throwIfAborted()
    return undefined as never
  }
  await expect(attempt(begin, AbortSignal.abort()).dial).rejects.toThrow()
  const round = new AbortController()
  await attempt(begin, round.signal).dial
  round.abort()
  expect(given.map(({ aborted }) => aborted)).toEqual([true, false])
})
