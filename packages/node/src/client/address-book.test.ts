import { type DeviceId, deviceIdFromKey, type Messenger, type Store } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../swarm/test-network.ts'
import { keepAddresses } from './address-book.ts'
import type { Undo } from './assemble.ts'

const [ana, bo, gone] = [1, 2, 3].map((byte) => deviceIdFromKey(new Uint8Array(32).fill(byte))) as [DeviceId, DeviceId, DeviceId]

function setUp(text: string | null, known: Record<string, string[]>) {
  let saved = text
  const learned = new Map<string, readonly string[]>()
  const store = {
    setting: async () => saved,
    commit: async (writes: readonly { value?: string }[]) => void (saved = writes[0]?.value ?? null),
  } as unknown as Pick<Store, 'setting' | 'commit'>
  const swarm = {
    dialledAddresses: (device: DeviceId) => known[device] ?? [],
    learn: async (device: DeviceId, addresses: readonly string[]) => void learned.set(device, addresses),
    listen: () => () => undefined,
  }
  const accounts = [ana, bo].map((device) => ({ account: device, blocked: false }))
  const book = { everyone: () => accounts, devicesOf: (account: string) => [{ device: account }] }
  const messenger = { book } as unknown as Pick<Messenger, 'book'>
  const undo: Undo = []
  const clock = new VirtualClock()
  const start = () => keepAddresses({ messenger, swarm, store, clock, logger: silentLogger }, undo)
  return { start, stop: async () => undo[0]?.(), clock, learned, saved: () => JSON.parse(saved ?? 'null') }
}

describe('address book', () => {
  it('[PT11] tells the swarm what it kept, and keeps what is known of contacts', async () => {
    const before = JSON.stringify({ [ana]: ['/ip4/9.9.9.9/tcp/1'], [gone]: ['/ip4/9.9.9.9/tcp/2'] })
    const { start, stop, learned, saved } = setUp(before, { [bo]: ['/ip4/8.8.8.8/tcp/3'] })
    await start()
    expect(learned.get(ana)).toEqual(['/ip4/9.9.9.9/tcp/1'])
    await stop()
    expect(saved()).toEqual({ [ana]: ['/ip4/9.9.9.9/tcp/1'], [bo]: ['/ip4/8.8.8.8/tcp/3'] })
  })

  it('[PT11] tells it again before the swarm has forgotten, as long as it runs', async () => {
    const { start, stop, clock, learned } = setUp(JSON.stringify({ [ana]: ['/ip4/9.9.9.9/tcp/1'] }), {})
    await start()
    for (let day = 0; day < 3; day += 1) {
      learned.clear()
      await clock.advance(24 * 3_600_000)
      expect(learned.get(ana)).toEqual(['/ip4/9.9.9.9/tcp/1'])
    }
    await stop()
    learned.clear()
    await clock.advance(48 * 3_600_000)
    expect(learned.size).toBe(0)
  })

  it('[PT11] is bounded', async () => {
    const many = Array.from({ length: 100 }, (_, at) => `/ip4/8.8.8.8/tcp/${at + 1}`)
    const { start, stop, saved } = setUp(null, { [bo]: many })
    await start()
    await stop()
    expect(saved()[bo].length).toBe(4)
  })

  it('[PT11] one address that is too long, or one entry that nobody wrote, takes nothing from the others', async () => {
    const long = `/dns4/${'a'.repeat(300)}/tcp/1`
    const before = { [ana]: ['/ip4/9.9.9.9/tcp/1'], [gone]: [long], x: ['/ip4/9.9.9.9/tcp/2'] }
    const { start, stop, learned, saved } = setUp(JSON.stringify(before), { [bo]: [long, '/ip4/8.8.8.8/tcp/3'] })
    await start()
    expect([...learned.keys()]).toEqual([ana])
    await stop()
    expect(saved()).toEqual({ [ana]: ['/ip4/9.9.9.9/tcp/1'], [bo]: ['/ip4/8.8.8.8/tcp/3'] })
  })

  it.each(['', 'no json', '[]', '{"x":["/ip4/1.2.3.4/tcp/5"]}', '{"a":1}'])(
    '[PT11] begins anew with what nobody wrote: %s',
    async (text) => {
      const { start, learned } = setUp(text, {})
      await start()
      expect(learned.size).toBe(0)
    },
  )
})
