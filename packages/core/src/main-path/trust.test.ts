import { describe, expect, it } from 'vitest'
import { CONTACT_PROTOCOL } from '../contacts/index.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { type DeviceEntryFields, encodeContactFrame } from '../wire/contact.ts'
import { certifyDevice, openContactCard, signContactCard, signDeviceList } from '../identity/index.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { bundleFor } from '../testing/bundles.ts'
import { World, type WorldNode } from '../testing/index.ts'

const NONE = new Uint8Array()
const newDevice = (byte: number, dh = byte): DeviceEntryFields =>
  certifyDevice(primitives, new Uint8Array(32).fill(byte), primitives.x25519PublicKey(new Uint8Array(32).fill(dh)))

async function pair(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  return { world, ana, bo }
}

interface Devices {
  readonly version: number
  readonly others: readonly DeviceEntryFields[]
}

/** A card with another list of devices, as there will be once devices can be linked. */
async function cardOf({ name, store, messenger: { identity } }: WorldNode, { version, others }: Devices): Promise<SignedBytes> {
  const stored = await store.identity()
  if (stored === null) throw new Error('no identity')
  const own = certifyDevice(primitives, stored.deviceSeed, identity.dhKey)
  const deviceList = signDeviceList(primitives, { ...stored, version, devices: [own, ...others] })
  const fields = { deviceList, name, relays: [], mailboxes: [], issuedAt: 9e12, deviceKey: identity.deviceKey, bundle: bundleFor(identity) }
  return signContactCard(primitives, fields, stored.deviceSeed)
}

async function showDevices(world: World, [from, to]: readonly [WorldNode, WorldNode], devices: Devices): Promise<void> {
  const card = await cardOf(from, devices)
  const opened = await from.swarm.open(to.messenger.identity.device, CONTACT_PROTOCOL)
  if (opened.kind !== 'open') throw new Error('no channel')
  await opened.channel.send(encodeContactFrame({ kind: 'introduction', card, proof: NONE, inviteHash: NONE, handover: undefined }))
  await world.run(1_000)
}

const keysEvents = ({ events }: WorldNode) => events.filter((event) => event.kind === 'keys')

describe('verified contacts', () => {
  it('[EV1] the same digits mark a contact as verified, other digits change nothing', async () => {
    const { world, ana, bo } = await pair(601)
    const trust = () => world.contactOf(ana, bo).trust
    const number = bo.messenger.safetyNumber(world.contactOf(bo, ana))
    expect(trust()).toBe('unverified')
    for (const wrong of [number.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)), number.slice(1), '', number.slice(0, 35)]) {
      await expect(ana.messenger.setVerified(world.contactOf(ana, bo), true, wrong)).rejects.toMatchObject({
        code: 'SAFETY_NUMBER_DIFFERS',
      })
      expect(trust()).toBe('unverified')
    }
    await ana.messenger.setVerified(world.contactOf(ana, bo), true, number.replaceAll(' ', ''))
    expect(trust()).toBe('verified')
    world.kill(ana)
    const again = await world.restart(ana)
    expect(world.contactOf(again, bo).trust).toBe('verified')
  })

  it.each([
    ['a new device', newDevice(9)],
    ['another key of a device', newDevice(8, 7)],
  ])('[EV2] %s of a verified contact: nothing is sent until the user has decided, also after a restart', async (_what, entry) => {
    const { world, ana, bo } = await pair(602)
    await showDevices(world, [bo, ana], { version: 2, others: [newDevice(8)] })
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    await showDevices(world, [bo, ana], { version: 3, others: [entry] })
    expect(keysEvents(ana).at(-1)).toMatchObject({ contact: { trust: 'changed' } })
    world.kill(ana)
    const again = await world.restart(ana)
    await expect(world.send(again, bo, 'refused')).rejects.toMatchObject({ code: 'KEYS_CHANGED' })
    await world.send(bo, again, 'still heard')
    await world.run(5_000)
    expect((await world.history(again, bo)).map(({ text }) => text)).toEqual(['still heard'])
    await again.messenger.setVerified(world.contactOf(again, bo), true)
    // The device that came has shown no prekeys yet: that is all that is missing now, and it alone waits.
    await world.send(again, bo, 'after')
    await world.run(5_000)
    expect((await world.history(bo, again)).map(({ text }) => text)).toEqual(['still heard', 'after'])
    expect(await again.messenger.deliveries.outbox()).toMatchObject([{ hold: 'no-keys' }])
  })

  it('[EV2] a list that comes while the user changes something else takes nothing back, nor is it taken back', async () => {
    const { world, ana, bo } = await pair(603)
    const { account } = bo.messenger.identity
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    const signed = await cardOf(bo, { version: 2, others: [newDevice(9)] })
    const card = openContactCard(primitives, signed)
    await Promise.all([ana.messenger.book.putCard(card, signed, {}), ana.messenger.change(account, { muted: true })])
    expect(await ana.store.contact(account)).toMatchObject({ trust: 'changed', listVersion: 2, muted: true })
    expect(world.contactOf(ana, bo)).toMatchObject({ trust: 'changed', listVersion: 2, muted: true })
  })

  it('[EV2] what is on its way is not sealed anew for other keys, and is once the user has confirmed', async () => {
    const { world, ana, bo } = await pair(604)
    for (const [from, to] of [
      [ana, bo],
      [bo, ana],
    ] as const) {
      await world.send(from, to, 'hello')
      await world.run(2_000)
    }
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, true)
    await world.send(ana, bo, 'on its way')
    await world.run(1_000)
    await ana.messenger.book.change(bo.messenger.identity.account, { trust: 'changed' })
    const sealed = async () => (await ana.store.outbox(bo.messenger.identity.device, 0, 9)).map((row) => row.sealed)
    expect(await sealed()).not.toEqual([NONE])
    world.kill(bo)
    const session = await bo.store.session(ana.messenger.identity.device)
    if (session === null) throw new Error('no session')
    await bo.store.commit([{ kind: 'session.put', session: { ...session, version: session.version + 1, state: NONE } }])
    const again = await world.restart(bo)
    world.network.partition(ana.messenger.identity.device, bo.messenger.identity.device, false)
    await world.run(60_000)
    expect(ana.logger.lines.map(({ event }) => event)).toContain('session-restarted-by-peer')
    // What was sealed for the session that is gone opens nowhere.
    expect(await sealed()).toEqual([NONE])
    expect(await ana.messenger.deliveries.outbox()).toMatchObject([{ hold: 'keys-changed' }])
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    await world.run(5_000)
    expect((await world.history(again, ana)).map(({ text }) => text)).toContain('on its way')
  })

  it('[EV3] another list of an unverified contact, or a device that has gone, is told and hinders nothing', async () => {
    const { world, ana, bo } = await pair(605)
    await showDevices(world, [bo, ana], { version: 2, others: [newDevice(9)] })
    expect(keysEvents(ana)).toMatchObject([{ contact: { trust: 'unverified' }, added: [expect.any(String)], changed: [], removed: [] }])
    await ana.messenger.setVerified(world.contactOf(ana, bo), true)
    await showDevices(world, [bo, ana], { version: 3, others: [] })
    expect(keysEvents(ana)[1]).toMatchObject({ contact: { trust: 'verified' }, added: [], changed: [], removed: [expect.any(String)] })
    await world.send(ana, bo, 'on we go')
    await world.run(2_000)
    expect((await world.history(bo, ana)).map(({ text }) => text)).toContain('on we go')
    expect(keysEvents(bo)).toEqual([])
  })
})
