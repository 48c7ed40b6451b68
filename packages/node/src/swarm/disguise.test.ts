import { type AddressInfo, createServer, type Socket } from 'node:net'
import { parseDeviceId } from '@skein/core'
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../platform/system.ts'
import { Disguises } from './disguise.ts'
import { disguised } from './stack.ts'
import { silentLogger, TestNetwork } from './test-network.ts'

const network = new TestNetwork()
const held: Socket[] = []
const silent = createServer((socket) => held.push(socket))
const stopping = new AbortController()

afterEach(async () => {
  stopping.abort()
  for (const each of held.splice(0)) each.destroy()
  silent.close()
  await network.clear()
})

it('[PT3] a relay is reached in disguise where the network drops TCP in silence and lets WebSockets through', {
  timeout: 60_000,
}, async () => {
  const relay = (await network.relay(142)).stack()
  await relay.serve('/skein/card/1', (_, frame) => frame, { service: 'cards', maxRequestBytes: 16 })
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const addresses = relay.addresses().map((each) => (each.includes('/ws') ? each : each.replace(/tcp\/\d+/, `tcp/${port}`)))
  const disguises = new Disguises({
    clock: systemClock,
    logger: silentLogger,
    stopping: stopping.signal,
    create: disguised,
    onOffence: () => undefined,
  })
  const description = { device: parseDeviceId(relay.peerId), addresses, stun: [], reflector: null, givesPlaces: true }
  const outcome = await disguises.open(description, '/skein/card/1', { name: 'one', signal: stopping.signal })
  if (outcome.kind !== 'open') throw new Error(`absent: ${outcome.reason}`)
  await outcome.channel.send(Uint8Array.of(1, 2, 3))
  for await (const frame of outcome.channel.frames()) {
    expect([...frame]).toEqual([1, 2, 3])
    break
  }
  expect(held.length).toBeGreaterThan(0)
})
