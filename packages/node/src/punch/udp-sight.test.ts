import { VirtualClock } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { ATTRIBUTE, BINDING_SUCCESS, encodeStun, encodeXorAddress, type Endpoint, parseStun } from '../stun/index.ts'
import { UdpSight } from './udp-sight.ts'
import type { PunchSocket } from './udx.ts'

/** First and second port of three relays. */
const relay = (n: number) => [`stun:127.0.0.${n}:3478`, `stun:127.0.0.${n}:3479`] as const
const [R1, R2, R3] = [relay(1), relay(2), relay(3)]
const relays = [R1, R2, R3]
const NONCE = new Uint8Array(16).fill(7)
const LONGEST_QUESTION_MS = 2_250
const outside = (port: number): Endpoint => ({ host: '9.9.9.9', port })
const { signal } = new AbortController()

/** Servers that see a socket as `seen` says; those that are not named there are silent, and time passes while one waits for them. */
function world(seen: Readonly<Record<string, Endpoint>>, own: readonly (readonly string[])[] = relays) {
  const clock = new VirtualClock()
  const asked: string[] = []
  const listeners = new Set<(bytes: Buffer, from: Endpoint) => void>()
  const answer = (bytes: Uint8Array, to: Endpoint): void => {
    const server = `stun:${to.host}:${to.port}`
    if (asked.at(-1) !== server) asked.push(server)
    const [request, as] = [parseStun(Buffer.from(bytes)), seen[server]]
    if (request === undefined || as === undefined) return void clock.advance(LONGEST_QUESTION_MS)
    const attributes = [
      { type: ATTRIBUTE.xorMappedAddress, value: encodeXorAddress(as, request.transaction) },
      { type: ATTRIBUTE.seenToken, value: Buffer.alloc(16, to.port) },
    ]
    const reply = encodeStun({ type: BINDING_SUCCESS, transaction: request.transaction, attributes })
    for (const each of listeners) each(reply, to)
  }
  const socket = {
    send: answer,
    listen: (receive: (bytes: Buffer, from: Endpoint) => void) => (listeners.add(receive), () => listeners.delete(receive)),
  } as unknown as PunchSocket
  const sight = new UdpSight({ clock, random: systemRandom, stunServers: () => own })
  const sample = (stun: readonly string[] = sight.servers()) => sight.sample(socket, { stun, theirNonce: NONCE, signal })
  return { sight, sample, asked, clock }
}

it('[PT7] a relay in common that does not answer over UDP keeps nobody from a punch by another one, and is asked after it from then on', async () => {
  const { sight, sample, asked } = world({ [R2[0]]: outside(4_000), [R2[1]]: outside(4_001) }, relays.slice(0, 2))
  expect(await sample()).toMatchObject({ stun: R2[0], host: '9.9.9.9', port: 4_001, mapping: 'sequential', step: 1 })
  expect(asked).toEqual([R1[0], ...R2])
  asked.length = 0
  expect(sight.servers()).toEqual([R2[0], R1[0]])
  await sample([R1[0], R2[0]])
  expect(asked).toEqual(R2)
  sight.move()
  expect(sight.servers()).toEqual([R1[0], R2[0]])
})

it('[PT2] UDP does not get through only where no relay answers; one that is silent alone is said to be', async () => {
  await expect(world({}).sample([R1[0], R2[0]])).rejects.toMatchObject({ refusal: 'no-udp' })
  const silent = { refusal: 'no-relay', message: 'no relay in common that answers over UDP' }
  await expect(world({ [R3[0]]: outside(4_000) }).sample([R1[0]])).rejects.toMatchObject(silent)
  const nameless = world({}, [['stun:[2001:db8::1]:3478', 'stuns:127.0.0.1:3478']])
  await expect(nameless.sample()).rejects.toMatchObject({ message: 'no relay in common whose IPv4 address is known' })
})

it('[PT5] an address that is not public is offered to nobody: another relay in common is asked', async () => {
  const inside = { host: '192.168.1.20', port: 4_000 }
  const { sample } = world({ [R1[0]]: inside, [R2[0]]: outside(5_000), [R2[1]]: outside(5_000) })
  expect(await sample()).toMatchObject({ stun: R2[0], host: '9.9.9.9', port: 5_000, mapping: 'same' })
  const alone = world({ [R1[0]]: inside, [R1[1]]: inside }, relays.slice(0, 1))
  await expect(alone.sample()).rejects.toMatchObject({ refusal: 'no-relay', message: expect.stringContaining('public address') })
})

it('[PT7] ports are compared where two relays see the same address, else at two ports of one', async () => {
  const seen = { [R1[0]]: outside(4_000), [R1[1]]: outside(4_000), [R2[0]]: { host: '192.168.1.20', port: 9_000 } }
  expect(await world(seen).sample([R1[0]])).toMatchObject({ host: '9.9.9.9', port: 4_000, mapping: 'same' })
  expect(await world({ ...seen, [R2[0]]: outside(9_000) }).sample([R1[0]])).toMatchObject({ port: 9_000, mapping: 'random' })
})

it('[PT2] what is given up says nothing of UDP, nor of the relay', async () => {
  const { sight } = world({})
  const given = new AbortController()
  const socket = { send: () => given.abort(new Error('this machine has moved')), listen: () => () => undefined } as unknown as PunchSocket
  const sampled = sight.sample(socket, { stun: [R1[0]], theirNonce: NONCE, signal: given.signal })
  await expect(sampled).rejects.toThrow('this machine has moved')
  expect(sight.servers()).toEqual(relays.map(([first]) => first))
})
