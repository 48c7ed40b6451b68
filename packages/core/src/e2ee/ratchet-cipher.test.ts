import { describe, expect, it } from 'vitest'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { StoreWrite } from '../ports/store.ts'
import { bundleFor } from '../testing/bundles.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import type { OneTimePrekey } from '../wire/handover.ts'
import { openBundle } from './bundle.ts'
import { fflateCompression as compression } from './compression.ts'
import { Handovers, MAX_ONE_TIME } from './handovers.ts'
import { PrekeyKeeper } from './prekey-keeper.ts'
import { noblePrimitives as primitives } from './primitives.ts'
import { decodeSessionMessage } from '../wire/sealed.ts'
import { RatchetCipher, RESET_EVERY_MS } from './ratchet-cipher.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (plain: Uint8Array): string => new TextDecoder().decode(plain)
const code = (wanted: string) => expect.objectContaining({ code: wanted })
const random = seededRandom(3)
const takeOneTime = (): undefined => undefined

/** One device with its store, cipher and prekeys. */
class Device {
  readonly store: MemoryStore
  readonly clock: VirtualClock
  readonly keys: ReturnType<typeof newKeys>
  readonly prekeys: PrekeyKeeper
  readonly id
  cipher: RatchetCipher
  remote: Device | undefined
  /** What the remote device has handed to this one. */
  oneTime: OneTimePrekey | undefined

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
    const bundle = (remote: Device) => () => openBundle(primitives, remote.prekeys.bundle(), remote.keys.deviceKey)
    const takeOneTime = () => {
      const oneTime = this.oneTime
      this.oneTime = undefined
      return oneTime === undefined ? undefined : { oneTime, write: { kind: 'seq.put', device: this.id, seq: oneTime.id } as const }
    }
    return new RatchetCipher({
      store,
      clock,
      random,
      primitives,
      compression,
      own: keys,
      prekeys,
      remote: (id) => (this.remote?.id === id ? { ...this.remote.keys, bundle: bundle(this.remote), takeOneTime } : undefined),
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
    const bundle = () => openBundle(primitives, old, bo.keys.deviceKey)
    late.cipher = new RatchetCipher({
      ...late,
      random,
      primitives,
      compression,
      own: late.keys,
      remote: () => ({ ...bo.keys, bundle, takeOneTime }),
    })
    await clock.advance(8 * 86_400_000)
    await bo.prekeys.refresh()
    await clock.advance(39 * 86_400_000)
    await bo.prekeys.refresh()
    bo.remote = late
    expect(await bo.receive((await late.cipher.pair(bo.id)).seal(bytes('after a month')).sealed)).toBe('after a month')
    await clock.advance(2 * 86_400_000)
    await bo.prekeys.refresh()
    const another = new Device(clock)
    another.cipher = new RatchetCipher({
      ...another,
      random,
      primitives,
      compression,
      own: another.keys,
      remote: () => ({ ...bo.keys, bundle, takeOneTime }),
    })
    bo.remote = another
    await expect(bo.receive((await another.cipher.pair(bo.id)).seal(bytes('too late')).sealed)).rejects.toEqual(code('PREKEY_UNKNOWN'))
    bo.remote = ana
  })

  it('[EB4] a bundle that another device signed is refused', async () => {
    const { ana, bo } = await pair()
    expect(() => openBundle(primitives, bundleFor(bo.keys), ana.keys.deviceKey)).toThrow(code('WRONG_DEVICE'))
    const forged = { ...bundleFor(bo.keys), signature: new Uint8Array(64) }
    expect(() => openBundle(primitives, forged, bo.keys.deviceKey)).toThrow(code('BAD_SIGNATURE'))
  })
})

describe('one-time prekeys', () => {
  const handedBy = async ({ store, clock }: Device, to: DeviceId): Promise<OneTimePrekey> => {
    const handovers = new Handovers({ store, clock, random, primitives, fetchSecret: random.bytes(32) })
    const { oneTime } = await handovers.forDevice(random.bytes(32), to)
    if (oneTime === undefined) throw new Error('none')
    return oneTime
  }

  it('[EB10] the first session uses the one that was handed over, and it is gone from both sides with the commit', async () => {
    const { ana, bo } = await pair()
    ana.oneTime = await handedBy(bo, ana.id)
    const { id } = ana.oneTime
    const first = await ana.send('first')
    expect(decodeSessionMessage(first).first?.oneTimeId).toBe(id)
    expect(await ana.store.seq(ana.id)).toBe(id)
    // Opened, but the process dies before the commit: it opens again.
    ;(await bo.cipher.pair(ana.id, first)).open()
    bo.cipher = bo.newCipher()
    expect(await bo.receive(first)).toBe('first')
    expect(await bo.store.oneTimePrekeys(ana.id)).toEqual([])
    expect(await bo.receive(await ana.send('second'))).toBe('second')
  })

  it('[EB10] no session is made with one that was used, was handed to another device, or never existed', async () => {
    const { clock, ana, bo } = await pair()
    const eve = new Device(clock)
    const mine = await handedBy(bo, ana.id)
    for (const oneTime of [await handedBy(bo, eve.id), { ...mine, id: (mine.id ^ 1) >>> 0 }]) {
      ana.oneTime = oneTime
      const again = new Device(clock, ana.keys)
      again.remote = bo
      again.oneTime = oneTime
      await expect(bo.receive(await again.send('no'))).rejects.toEqual(code('PREKEY_UNKNOWN'))
    }
    const wrongKey = new Device(clock, ana.keys)
    wrongKey.remote = bo
    wrongKey.oneTime = { ...mine, key: primitives.x25519PublicKey(random.bytes(32)) }
    await expect(bo.receive(await wrongKey.send('no'))).rejects.toEqual(code('SEAL_BROKEN'))
    expect((await bo.store.oneTimePrekeys(ana.id)).map(({ id }) => id)).toEqual([mine.id])
    const tries: string[] = []
    for (let again = 0; again < 2; again += 1) {
      const another = new Device(clock, ana.keys)
      another.remote = bo
      another.oneTime = mine
      tries.push(await bo.receive(await another.send('yes')).catch((error: { code: string }) => error.code))
    }
    expect(tries).toEqual(['yes', 'PREKEY_UNKNOWN'])
  })

  it('[EB11] a device holds at most eight of ours, the oldest go first; each dies after 40 days', async () => {
    const { clock, ana, bo } = await pair()
    const handed: number[] = []
    for (let number = 0; number < MAX_ONE_TIME + 3; number += 1) {
      handed.push((await handedBy(bo, ana.id)).id)
      await clock.advance(1_000)
    }
    expect((await bo.store.oneTimePrekeys(ana.id)).map(({ id }) => id)).toEqual(handed.slice(-MAX_ONE_TIME))
    await clock.advance(40 * 86_400_000)
    await bo.store.commit([{ kind: 'one-time.prune', before: clock.now() }])
    expect(await bo.store.oneTimePrekeys(ana.id)).toEqual([])
  })
})

describe('confirmed first flights', () => {
  const flightOf = (sealed: Uint8Array) => decodeSessionMessage(sealed).first
  const confirm = async (device: Device, sealed: Uint8Array): Promise<number> => {
    const writes = (await device.cipher.pair(device.peer)).confirm(sealed)
    await device.store.commit(writes)
    return writes.length
  }

  it('[ES12] a flight goes along until it is acknowledged or answered, and never again after that', async () => {
    const { ana, bo } = await pair()
    const [first, second] = [await ana.send('1'), await ana.send('2')]
    expect([first, second].map((sealed) => flightOf(sealed) === undefined)).toEqual([false, false])
    expect(await confirm(ana, first)).toBe(1)
    expect(await confirm(ana, first)).toBe(0)
    const third = await ana.send('3')
    expect(flightOf(third)).toBeUndefined()
    ana.cipher = ana.newCipher()
    expect(flightOf(await ana.send('lost'))).toBeUndefined()
    // What was sealed with the flight opens all the same, in any order.
    for (const [sealed, wanted] of [
      [first, '1'],
      [third, '3'],
      [second, '2'],
    ] as const)
      expect(await bo.receive(sealed)).toBe(wanted)
    expect(await ana.receive(await bo.send('answer'))).toBe('answer')
  })

  it('[ES12] what is confirmed too early is healed; what names another session, or none, changes nothing', async () => {
    const { clock, ana, bo } = await pair()
    const first = await ana.send('never arrives')
    const other = new Device(clock, ana.keys)
    other.remote = bo
    const foreign = await other.send('of a session that ana does not know')
    const before = await ana.store.session(bo.id)
    expect(await confirm(ana, foreign)).toBe(0)
    expect(await ana.store.session(bo.id)).toEqual(before)
    await expect(ana.cipher.pair(bo.id).then((opened) => opened.confirm(random.bytes(80)))).rejects.toEqual(code('BAD_FRAME'))
    expect(await confirm(ana, first)).toBe(1)
    await expect(bo.receive(await ana.send('no flight'))).rejects.toEqual(code('SESSION_UNKNOWN'))
    const restarted = (await bo.cipher.pair(ana.id)).restart(bytes('start anew'))
    await bo.store.commit(restarted?.writes ?? [])
    expect(await ana.receive(restarted?.sealed ?? new Uint8Array())).toBe('start anew')
    expect(await bo.receive(await ana.send('again'))).toBe('again')
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
        compression,
        own: device.keys,
        remote: () => ({ ...bo.keys, bundle: () => undefined, takeOneTime }),
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
