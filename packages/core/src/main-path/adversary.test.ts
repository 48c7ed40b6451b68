import { describe, expect, it } from 'vitest'
import { CONTACT_PROTOCOL } from '../contacts/index.ts'
import { DELIVER_PROTOCOL } from '../delivery/index.ts'
import { openBundle } from '../e2ee/bundle.ts'
import { fflateCompression as compression } from '../e2ee/compression.ts'
import { PrekeyKeeper } from '../e2ee/prekey-keeper.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { RatchetCipher } from '../e2ee/ratchet-cipher.ts'
import { accountDigest, deviceIdFromKey, type MessageId, messageIdFromBytes } from '../ids.ts'
import { certifyDevice, openContactCard, signContactCard, signDeviceList, verifyRecord } from '../identity/index.ts'
import { bundleFor } from '../testing/bundles.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import type { Channel } from '../ports/swarm.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { encodeContactFrame } from '../wire/contact.ts'
import { encodeContent } from '../wire/content.ts'
import { encodeDelivery } from '../wire/deliver.ts'
import { decodePrekeyBundle, encodePrekeyBundle } from '../wire/sealed.ts'
import { decodeSigned, encodeSigned } from '../wire/signed.ts'

const random = seededRandom(44)
const NONE = new Uint8Array()
const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device
const codes = ({ logger }: WorldNode) =>
  logger.lines.filter(({ event }) => event === 'delivery-refused').map(({ fields }) => fields?.['code'])
const texts = async (world: World, node: WorldNode, other: WorldNode) => (await world.history(node, other)).map(({ text }) => text)

async function friends(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode; eve: WorldNode }> {
  const world = new World(seed)
  const [ana, bo, eve] = [await world.start('ana'), await world.start('bo'), await world.start('eve')]
  await world.befriend(ana, bo)
  await world.befriend(ana, eve)
  return { world, ana, bo, eve }
}

/** Delivers bytes as `from`, whoever made them; what comes back within a second. */
async function deliver(
  world: World,
  { from, to }: { from: Pick<WorldNode, 'swarm'>; to: WorldNode },
  sealed: readonly { id: MessageId; sealed: Uint8Array }[],
) {
  const opened = await from.swarm.open(deviceOf(to), DELIVER_PROTOCOL)
  if (opened.kind !== 'open') throw new Error('no channel')
  const answers: Uint8Array[] = []
  const listening = (async () => {
    for await (const frame of opened.channel.frames()) answers.push(frame)
  })()
  for (const [at, each] of sealed.entries()) await opened.channel.send(encodeDelivery({ ...each, seq: at + 1 }))
  await world.run(1_000)
  opened.channel.close()
  await world.run(100)
  await listening
  return answers
}

/** What `from` has sealed for `to`, kept from leaving. */
async function held(world: World, from: WorldNode, to: WorldNode, what: readonly string[]) {
  world.network.partition(deviceOf(from), deviceOf(to), true)
  for (const text of what) await world.send(from, to, text)
  return (await from.store.outbox(deviceOf(to), 0, 100)).map(({ message, sealed }) => ({ id: message, sealed }))
}

describe('what others may not do', () => {
  it.each(['a first flight', 'an answered session'])(
    '[EB5] %s of somebody else is refused under another name, unanswered, and opens for its sender',
    async (kind) => {
      const { world, ana, bo, eve } = await friends(901)
      if (kind !== 'a first flight') {
        for (const [from, to] of [
          [bo, ana],
          [ana, bo],
          [eve, ana],
          [ana, eve],
        ] as const) {
          await world.send(from, to, 'hello')
          await world.run(2_000)
        }
      }
      const sealed = await held(world, bo, ana, ['of bo, 1', 'of bo, 2'])
      expect(await deliver(world, { from: eve, to: ana }, sealed)).toEqual([])
      expect(codes(ana)).toEqual(Array(2).fill(kind === 'a first flight' ? 'PREKEY_UNKNOWN' : 'SESSION_UNKNOWN'))
      expect((await texts(world, ana, eve)).filter((text) => text.startsWith('of bo'))).toEqual([])
      world.network.partition(deviceOf(bo), deviceOf(ana), false)
      await world.run(130_000)
      expect((await texts(world, ana, bo)).filter((text) => text.startsWith('of bo'))).toEqual(['of bo, 1', 'of bo, 2'])
    },
  )

  it('[EV4] a device that is no longer in the list delivers nothing, whatever it can still seal', async () => {
    const { world, ana, bo } = await friends(902)
    const stored = await bo.store.identity()
    if (stored === null) throw new Error('no identity')
    const [deviceSeed, dhSecret] = [new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)]
    const entry = certifyDevice(primitives, deviceSeed, primitives.x25519PublicKey(dhSecret))
    const second = { accountKey: bo.messenger.identity.accountKey, ...entry, deviceSeed, dhSecret }
    const list = async (version: number, entries: readonly (typeof entry)[]): Promise<void> => {
      const own = certifyDevice(primitives, stored.deviceSeed, bo.messenger.identity.dhKey)
      const deviceList = signDeviceList(primitives, { ...stored, version, devices: [own, ...entries] })
      const fields = {
        deviceList,
        name: 'bo',
        relays: [],
        mailboxes: [],
        issuedAt: 9e12,
        deviceKey: own.deviceKey,
        bundle: bundleFor(bo.messenger.identity),
      }
      const opened = await bo.swarm.open(deviceOf(ana), CONTACT_PROTOCOL)
      if (opened.kind !== 'open') throw new Error('no channel')
      const card = signContactCard(primitives, fields, stored.deviceSeed)
      await opened.channel.send(encodeContactFrame({ kind: 'introduction', card, proof: NONE, inviteHash: NONE, handover: undefined }))
      await world.run(1_000)
    }
    const [store, { clock }] = [new MemoryStore(), world]
    const prekeys = new PrekeyKeeper({ store, clock, random, primitives, ...second })
    const anas = ana.messenger.identity
    const [card] = await bo.store.contacts()
    const { bundle } = openContactCard(primitives, decodeSigned(card?.card ?? NONE))
    const remote = () => ({ ...anas, bundle: () => openBundle(primitives, bundle, anas.deviceKey), takeOneTime: () => undefined })
    const cipher = new RatchetCipher({ store, clock, random, primitives, compression, own: second, prekeys, remote })
    const from = { swarm: world.network.join(deviceIdFromKey(entry.deviceKey)) }
    const say = async (text: string): Promise<readonly Uint8Array[]> => {
      const id = messageIdFromBytes(random.bytes(16))
      const content = encodeContent({ id, hlcMs: clock.now(), hlcCounter: 0, createdAt: clock.now(), body: { kind: 'text', text } })
      return deliver(world, { from, to: ana }, [{ id, sealed: (await cipher.pair(anas.device)).seal(content).sealed }])
    }
    expect(await say('before it was added')).toEqual([])
    await list(2, [entry])
    expect(await say('while it is in the list')).toHaveLength(1)
    await list(3, [])
    expect(await say('after it was removed')).toEqual([])
    await list(2, [entry])
    expect(await say('with an old list shown again')).toEqual([])
    expect(await texts(world, ana, bo)).toEqual(['while it is in the list'])
  })

  it('[EB4] whoever passes on cards and records cannot put another bundle into them', async () => {
    const { ana, eve } = await friends(903)
    const [{ card } = { card: NONE }] = await eve.store.contacts()
    const signed = decodeSigned(card)
    const { bundle } = openContactCard(primitives, signed)
    const theirs = bundleFor(eve.messenger.identity)
    const statement = replaced(signed.statement, bundle.statement.subarray(0, 32), theirs.statement.subarray(0, 32))
    expect(() => openContactCard(primitives, { ...signed, statement })).toThrow(expect.objectContaining({ code: 'BAD_SIGNATURE' }))
    // A dishonest owner gains nothing either: sealing to it would be sealing to somebody else.
    const { identity } = ana.messenger
    const draft = { relays: [], mailboxes: [], issuedAt: 1, bundle: theirs }
    expect(() => openContactCard(primitives, identity.signCard({ ...draft, name: '' }))).toThrow(
      expect.objectContaining({ code: 'WRONG_DEVICE' }),
    )
    const digest = accountDigest(identity.account)
    expect(verifyRecord(primitives, digest, encodeSigned(identity.signRecord({ ...draft, bundle })))).toBe(true)
    expect(verifyRecord(primitives, digest, encodeSigned(identity.signRecord(draft)))).toBe(false)
  })

  it('[EB2] a bundle of another suite, or with keys of another type, is refused', () => {
    const { statement } = bundleFor({ deviceKey: random.bytes(32), deviceSeed: random.bytes(32) })
    const bundle = decodePrekeyBundle(statement)
    const wrong = [
      { signedPrekey: random.bytes(33) },
      { signedPrekey: bundle.kemKey },
      { kemKey: bundle.signedPrekey },
      { kemKey: random.bytes(1_088) },
      { deviceKey: random.bytes(31) },
      { prekeyId: 0 },
      { prekeyId: 128 },
    ]
    for (const change of wrong)
      expect(() => decodePrekeyBundle(encodePrekeyBundle({ ...bundle, ...change }))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    // The field behind a device key of 32 bytes.
    const suite = 35
    expect(statement[suite - 1]).toBe(0x10)
    const other = statement.slice()
    other[suite] = 2
    expect(() => decodePrekeyBundle(other)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[EA1] a contact that floods forged headers stops being tried, is told nothing, and is heard again afterwards', async () => {
    const { world, ana, bo } = await friends(904)
    for (const [from, to] of [
      [bo, ana],
      [ana, bo],
    ] as const) {
      await world.send(from, to, 'hello')
      await world.run(2_000)
    }
    const [real] = await held(world, bo, ana, ['honest'])
    if (real === undefined) throw new Error('nothing held')
    world.network.partition(deviceOf(bo), deviceOf(ana), false)
    const forged = Array.from({ length: 600 }, (_, at) => ({
      id: messageIdFromBytes(random.bytes(16)),
      sealed: real.sealed.map((byte, index) => (index === 8 + (at % 60) ? byte ^ (1 + (at % 255)) : byte)),
    }))
    const answers = await deliver(world, { from: bo, to: ana }, forged)
    expect(new Set(codes(ana))).toContain('BUDGET_SPENT')
    expect(answers).toEqual([])
    await world.run(180_000)
    expect(await texts(world, ana, bo)).toContain('honest')
  })
})

/** Every frame that a node sends from now on, as it is before the connection encrypts it. */
function tapped({ swarm }: WorldNode): Uint8Array[] {
  const frames: Uint8Array[] = []
  const watched = (channel: Channel): Channel => ({
    peer: channel.peer,
    frames: () => channel.frames(),
    close: () => channel.close(),
    send: (frame) => {
      frames.push(frame)
      return channel.send(frame)
    },
  })
  const open = swarm.open.bind(swarm)
  swarm.open = async (...to) => {
    const opened = await open(...to)
    return opened.kind === 'open' ? { ...opened, channel: watched(opened.channel) } : opened
  }
  for (const [protocol, serve] of swarm.handlers) swarm.handlers.set(protocol, (channel) => serve(watched(channel)))
  return frames
}

it('[EA3] no text is in any frame, not even below the encryption of the connection', async () => {
  const world = new World(905)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  const frames = [tapped(ana), tapped(bo)]
  await world.befriend(ana, bo)
  const marks = ['canary-short', 'canary-long']
  const long = Array.from({ length: 300 }, () => `${marks[1]} ${random.bytes(6).join('')}`).join(' ')
  for (const [from, to] of [
    [ana, bo],
    [bo, ana],
  ] as const) {
    for (const text of [`${marks[0]} hello`, long, `${marks[0]} again`]) await world.send(from, to, text)
    await world.run(5_000)
  }
  expect(await texts(world, bo, ana)).toHaveLength(6)
  const seen = Buffer.concat(frames.flat())
  expect(frames.every((each) => each.length > 6)).toBe(true)
  for (const mark of marks) expect(seen.includes(mark)).toBe(false)
  // The tap works: names go in clear within the connection.
  expect(seen.includes('ana')).toBe(true)
})

function replaced(bytes: Uint8Array, old: Uint8Array, next: Uint8Array): Uint8Array {
  const at = bytes.findIndex((_, start) => old.every((byte, index) => bytes[start + index] === byte))
  if (at < 0) throw new Error('not found')
  const changed = bytes.slice()
  changed.set(next, at)
  return changed
}
