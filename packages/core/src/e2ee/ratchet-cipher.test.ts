import { describe, expect, it } from 'vitest'
import { deviceIdFromKey } from '../ids.ts'
import type { StoreWrite } from '../ports/store.ts'
import { bundleFor } from '../testing/bundles.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { openBundle } from './bundle.ts'
import { PrekeyKeeper } from './prekey-keeper.ts'
import { noblePrimitives as primitives } from './primitives.ts'
import { RatchetCipher, RESET_EVERY_MS } from './ratchet-cipher.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (plain: Uint8Array): string => new TextDecoder().decode(plain)
const code = (wanted: string) => expect.objectContaining({ code: wanted })
const random = seededRandom(3)

/** One device with its store, cipher and prekeys. */
class Device {
  readonly store: MemoryStore
  readonly clock: VirtualClock
  readonly keys: ReturnType<typeof newKeys>
  readonly prekeys: PrekeyKeeper
  readonly id
  cipher: RatchetCipher
  remote: Device | undefined

  constructor(clock: VirtualClock, keys = newKeys(), store = new MemoryStore()) {
    this.clock = clock
    this.keys = keys
    this.store = store
    this.id = deviceIdFromKey(keys.deviceKey)
    this.prekeys = new PrekeyKeeper({ store, clock, random, primitives, ...keys })
    this.cipher = this.newCipher()
  }

  newCipher(): RatchetCipher {
    const { store, clock, keys, prekeys } = this
    const bundle = (remote: Device) => () => openBundle(primitives, remote.prekeys.bundle(), remote.id)
    return new RatchetCipher({
      store,
      clock,
      random,
      primitives,
      own: keys,
      prekeys,
      remote: (id) => (this.remote?.id === id ? { ...this.remote.keys, bundle: bundle(this.remote) } : undefined),
    })
  }

  /** The device with the store of another moment, as after copying a database back. */
  async restored(store: MemoryStore): Promise<Device> {
    const again = new Device(this.clock, this.keys, store)
    again.remote = this.remote
    await again.prekeys.refresh()
    return again
  }

  async send(content: string): Promise<Uint8Array> {
    const { sealed, writes } = (await this.cipher.pair(this.peer)).seal(bytes(content))
    await this.store.commit(writes)
    return sealed
  }

  async receive(sealed: Uint8Array): Promise<string> {
    const { content, writes } = (await this.cipher.pair(this.peer, sealed)).open()
    await this.store.commit(writes)
    return text(content)
  }

  get peer() {
    if (this.remote === undefined) throw new Error('no remote')
    return this.remote.id
  }
}

function newKeys() {
  const [accountSeed, deviceSeed, dhSecret] = [random.bytes(32), random.bytes(32), random.bytes(32)]
  const accountKey = primitives.ed25519PublicKey(accountSeed)
  return {
    accountKey,
    deviceSeed,
    deviceKey: primitives.ed25519PublicKey(deviceSeed),
    dhSecret,
    dhKey: primitives.x25519PublicKey(dhSecret),
  }
}

async function pair(): Promise<{ clock: VirtualClock; ana: Device; bo: Device }> {
  const clock = new VirtualClock()
  const [ana, bo] = [new Device(clock), new Device(clock)]
  ana.remote = bo
  bo.remote = ana
  await Promise.all([ana.prekeys.refresh(), bo.prekeys.refresh()])
  return { clock, ana, bo }
}

describe('sessions in a store', () => {
  it('[ES9] a state that was committed is taken up by the next process; one that was not, never counted', async () => {
    const { ana, bo } = await pair()
    await bo.receive(await ana.send('one'))
    await ana.receive(await bo.send('two'))
    await bo.receive(await ana.send('and a half'))
    const unsent = (await ana.cipher.pair(bo.id)).seal(bytes('sealed, never committed'))
    ana.cipher = ana.newCipher()
    bo.cipher = bo.newCipher()
    expect(await bo.receive(await ana.send('three'))).toBe('three')
    // The same message key, yet another AEAD key: what was never committed has never left, and would not open any more.
    await expect(bo.receive(unsent.sealed)).rejects.toEqual(code('KEY_USED'))
  })

  it('[ES10] a commit that fails takes along what was made after it, and nothing is lost', async () => {
    const { ana, bo } = await pair()
    await bo.receive(await ana.send('hello'))
    const arrived = [await ana.send('1'), await ana.send('2')]
    const steps: (readonly StoreWrite[])[] = []
    for (const sealed of arrived) steps.push((await bo.cipher.pair(ana.id, sealed)).open().writes)
    bo.store.full = true
    await expect(bo.store.commit(steps[0] ?? [])).rejects.toEqual(code('DISK_FULL'))
    bo.store.full = false
    await expect(bo.store.commit(steps[1] ?? [])).rejects.toEqual(code('SESSION_CONFLICT'))
    bo.cipher.forget(ana.id)
    for (const [at, sealed] of arrived.entries()) expect(await bo.receive(sealed)).toBe(`${at + 1}`)
  })

  it('[EB8] a first flight that comes again after its session is gone is refused, for as long as its prekey lives', async () => {
    const { clock, ana, bo } = await pair()
    const flight = await ana.send('first')
    expect(await bo.receive(flight)).toBe('first')
    await expect(bo.receive(flight)).rejects.toEqual(code('KEY_USED'))
    const session = await bo.store.session(ana.id)
    if (session === null) throw new Error('no session')
    await bo.store.commit([{ kind: 'session.put', session: { ...session, version: session.version + 1, state: new Uint8Array() } }])
    bo.cipher = bo.newCipher()
    await expect(bo.receive(flight)).rejects.toEqual(code('REPLAYED'))
    await clock.advance(39 * 86_400_000)
    await bo.store.commit([{ kind: 'digest.prune', before: clock.now() }])
    await expect(bo.receive(flight)).rejects.toEqual(code('REPLAYED'))
  })

  it('[EB3] the newest known bundle stays usable while its owner is away; messages to it open for 40 days after its successor', async () => {
    const { clock, ana, bo } = await pair()
    const old = bo.prekeys.bundle()
    const late = new Device(clock)
    const bundle = () => openBundle(primitives, old, bo.id)
    late.cipher = new RatchetCipher({ ...late, random, primitives, own: late.keys, remote: () => ({ ...bo.keys, bundle }) })
    await clock.advance(8 * 86_400_000)
    await bo.prekeys.refresh()
    await clock.advance(39 * 86_400_000)
    await bo.prekeys.refresh()
    bo.remote = late
    expect(await bo.receive((await late.cipher.pair(bo.id)).seal(bytes('after a month')).sealed)).toBe('after a month')
    await clock.advance(2 * 86_400_000)
    await bo.prekeys.refresh()
    const another = new Device(clock)
    another.cipher = new RatchetCipher({ ...another, random, primitives, own: another.keys, remote: () => ({ ...bo.keys, bundle }) })
    bo.remote = another
    await expect(bo.receive((await another.cipher.pair(bo.id)).seal(bytes('too late')).sealed)).rejects.toEqual(code('PREKEY_UNKNOWN'))
    bo.remote = ana
  })

  it('[EB4] a bundle that another device signed is refused', async () => {
    const { ana, bo } = await pair()
    expect(() => openBundle(primitives, bundleFor(bo.keys), ana.id)).toThrow(code('WRONG_DEVICE'))
    const forged = { ...bundleFor(bo.keys), signature: new Uint8Array(64) }
    expect(() => openBundle(primitives, forged, bo.id)).toThrow(code('BAD_SIGNATURE'))
  })
})

describe('states that have come apart', () => {
  it('[ER8] a database copied back repeats no key: the same message key, another AEAD key', async () => {
    const { ana, bo } = await pair()
    await bo.receive(await ana.send('hello'))
    await ana.receive(await bo.send('hello back'))
    const yesterday = ana.store.reopened()
    const used: string[] = []
    const watch = (device: Device): Device => {
      const aeadSeal: typeof primitives.aeadSeal = (key, nonce, plaintext, associated) => {
        used.push(`${key.join()} ${nonce.join()}`)
        return primitives.aeadSeal(key, nonce, plaintext, associated)
      }
      device.cipher = new RatchetCipher({
        ...device,
        random,
        primitives: { ...primitives, aeadSeal },
        own: device.keys,
        remote: () => ({ ...bo.keys, bundle: () => undefined }),
      })
      return device
    }
    await watch(ana).send('secret')
    await watch(await ana.restored(yesterday)).send('public')
    expect(new Set(used).size).toBe(2)
  })

  it('[ES7] asks for a new session at most once in ten minutes', async () => {
    const { clock, ana, bo } = await pair()
    await bo.receive(await ana.send('hello'))
    await ana.receive(await bo.send('hello back'))
    const restart = async () => {
      const sealed = (await bo.cipher.pair(ana.id)).restart(bytes('start anew'))
      if (sealed !== undefined) await bo.store.commit(sealed.writes)
      return sealed?.sealed
    }
    await clock.advance(RESET_EVERY_MS)
    const first = await restart()
    expect(await restart()).toBeUndefined()
    await clock.advance(RESET_EVERY_MS)
    expect(await restart()).toBeDefined()
    expect(await ana.receive(first ?? new Uint8Array())).toBe('start anew')
    expect(await bo.receive(await ana.send('as you wish'))).toBe('as you wish')
  })

  it('[EA1] a flood that does not open exhausts its sender, not us, and leaves the state as it was', async () => {
    const { clock, ana, bo } = await pair()
    await bo.receive(await ana.send('hello'))
    const before = await bo.store.session(ana.id)
    const codes = new Set<string>()
    for (let number = 0; number < 2_000; number += 1)
      await bo.receive(random.bytes(120)).catch((error: { code: string }) => codes.add(error.code))
    expect([...codes].sort()).toEqual(['BAD_FRAME', 'BUDGET_SPENT'])
    expect(await bo.store.session(ana.id)).toEqual(before)
    await clock.advance(60_000)
    expect(await bo.receive(await ana.send('honest again'))).toBe('honest again')
  })
})
