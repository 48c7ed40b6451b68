import { describe, expect, it } from 'vitest'
import { dayOf, fetchSecretOf, TAG_DAYS_AHEAD, tagsAhead } from '../e2ee/delivery-tags.ts'
import { sealEnvelope } from '../e2ee/envelope.ts'
import { concat } from '../e2ee/key-derivation.ts'
import { openBundle } from '../e2ee/bundle.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { accountDigest } from '../ids.ts'
import { inviteHash, parseInvite } from '../identity/index.ts'
import { envelopesOf } from '../testing/envelopes.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { decodeHandover, encodeHandover, type HandoverFields } from '../wire/handover.ts'
import { decodeEnvelope, decodeSessionMessage, DELIVERY_TAG_BYTES } from '../wire/sealed.ts'
import { decodeSigned } from '../wire/signed.ts'

const DAY_MS = 86_400_000
const random = seededRandom(9)
const code = (wanted: string) => ({ code: wanted })

async function pair(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  return { world, ana, bo }
}

const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device

/** What `holder` holds of `other`, by its store. */
async function handedTo(holder: WorldNode, other: WorldNode): Promise<HandoverFields> {
  const handover = decodeHandover((await holder.store.device(deviceOf(other)))?.handover ?? new Uint8Array())
  if (handover === undefined) throw new Error('nothing was handed over')
  return handover
}

const tagsOf = ({ messenger }: WorldNode, sender: Uint8Array, day: number): Uint8Array =>
  concat(...tagsAhead(primitives, fetchSecretOf(primitives, messenger.identity.deviceSeed), { sender, day }))

/** The sealed bytes of a message from one to the other that has not left. */
async function waiting(world: World, { from, to }: { from: WorldNode; to: WorldNode }, text: string): Promise<Uint8Array> {
  world.network.partition(deviceOf(from), deviceOf(to), true)
  const { id } = await world.send(from, to, text)
  const rows = await from.store.outbox(deviceOf(to), 0, 100)
  const row = rows.find(({ message }) => message === id)
  if (row === undefined) throw new Error('nothing waits')
  return row.sealed
}

describe('delivery tags between contacts', () => {
  it('[DV15] of a clock that is far ahead change nothing, whoever passes them on, and give way where they are held', async () => {
    const { world, ana, bo } = await pair(703)
    const { book } = ana.messenger
    const now = world.clock.now()
    const of = (day: number): HandoverFields => ({ firstDay: day, deliveryTags: new Uint8Array(DELIVERY_TAG_BYTES), oneTime: undefined })
    const taken = async (day: number): Promise<number> => {
      await book.takeTags(deviceOf(bo), of(day), now)
      return (await handedTo(ana, bo)).firstDay
    }
    const today = dayOf(now)
    expect([await taken(today + 3), await taken(0xffff_ffff), await taken(today - 1)]).toEqual([today, today, today])
    expect(await taken(today + 2)).toBe(today + 2)
    await book.handover(deviceOf(bo), encodeHandover(of(today + 900)))
    expect(await taken(today)).toBe(today)
  })

  it('[ET4] contacts hold tags of each other for 40 days, of their own account alone, and new ones as long as they meet', async () => {
    const { world, ana, bo } = await pair(701)
    const today = dayOf(world.clock.now())
    for (const [holder, other] of [
      [ana, bo],
      [bo, ana],
    ] as const) {
      const { firstDay, deliveryTags } = await handedTo(holder, other)
      expect([firstDay, deliveryTags.length]).toEqual([today, TAG_DAYS_AHEAD * DELIVERY_TAG_BYTES])
      expect(deliveryTags).toEqual(tagsOf(other, accountDigest(holder.messenger.identity.account), today))
    }
    await world.run(1_000)
    for (const node of [ana, bo]) world.kill(node)
    await world.clock.advance(8 * DAY_MS)
    const [ana2, bo2] = [await world.restart(ana), await world.restart(bo)]
    await world.run(60_000)
    for (const [holder, other] of [
      [ana2, bo2],
      [bo2, ana2],
    ] as const)
      expect((await handedTo(holder, other)).firstDay).toBe(today + 8)
  })

  it('[ET4] whoever is invited finds tags in the encrypted card before the two have met; tags stand nowhere else', async () => {
    const world = new World(702)
    const [ana, bo] = [await world.start('ana'), await world.start('bo')]
    const { invite } = await ana.messenger.invite()
    world.kill(ana)
    const adding = bo.messenger.add(invite)
    await world.run(15_000)
    await adding
    const { firstDay, deliveryTags, oneTime } = await handedTo(bo, ana)
    const hash = inviteHash(primitives, parseInvite(primitives, invite, world.clock.now()).secret)
    expect(deliveryTags).toEqual(tagsOf(ana, hash, firstDay))
    expect(oneTime).toBeUndefined()
    const [contact] = await bo.store.contacts()
    expect(Buffer.from(contact?.card ?? []).includes(deliveryTags.subarray(0, DELIVERY_TAG_BYTES))).toBe(false)
    const again = await world.restart(ana)
    await world.run(60_000)
    expect((await handedTo(bo, again)).deliveryTags).toEqual(tagsOf(again, accountDigest(bo.messenger.identity.account), firstDay))
  })

  it('[EB10] after the introduction each holds a one-time prekey of the other, and the first session uses it up', async () => {
    const { world, ana, bo } = await pair(703)
    const kept = async () => (await bo.store.oneTimePrekeys(deviceOf(ana))).map(({ id }) => id)
    const held = (await handedTo(ana, bo)).oneTime?.id
    expect(await kept()).toContain(held)
    await world.send(ana, bo, 'hello')
    await world.run(2_000)
    expect((await handedTo(ana, bo)).oneTime).toBeUndefined()
    expect(await kept()).not.toContain(held)
    expect((await world.history(bo, ana)).map(({ text }) => text)).toEqual(['hello'])
  })
})

describe('session messages in envelopes', () => {
  it('[ET3] [EE6] the recipient knows by tag and session who sent it, with a first flight and without', async () => {
    const { world, ana, bo } = await pair(704)
    const first = await waiting(world, { from: bo, to: ana }, 'first')
    expect(decodeSessionMessage(first).first).toBeDefined()
    for (const established of [false, true]) {
      if (established) {
        world.network.partition(deviceOf(ana), deviceOf(bo), false)
        await world.run(130_000)
        await world.send(ana, bo, 'answer')
        await world.run(5_000)
      }
      const message = established ? await waiting(world, { from: bo, to: ana }, 'later') : first
      expect(decodeSessionMessage(message).first === undefined).toBe(established)
      const envelope = await (await envelopesOf(world, bo, random)).seal(deviceOf(ana), message)
      expect(await (await envelopesOf(world, ana, random)).open(envelope)).toEqual({ sender: deviceOf(bo), message })
      expect(Buffer.from(envelope).includes(bo.messenger.identity.deviceKey)).toBe(false)
      await expect((await envelopesOf(world, bo, random)).open(envelope)).rejects.toMatchObject(code('TAG_UNKNOWN'))
    }
  })

  it('[EE5] mail is good for 30 days, under the tag of the day it was left', async () => {
    const { world, ana, bo } = await pair(705)
    const message = await waiting(world, { from: bo, to: ana }, 'to be carried')
    const [from, to] = [await envelopesOf(world, bo, random), await envelopesOf(world, ana, random)]
    for (const node of [ana, bo]) world.kill(node)
    await world.clock.advance(3 * DAY_MS)
    const envelope = await from.seal(deviceOf(ana), message)
    expect(decodeEnvelope(envelope).deliveryTag).toEqual((await handedTo(bo, ana)).deliveryTags.slice(48, 64))
    await world.clock.advance(30 * DAY_MS)
    expect(await to.open(envelope)).toEqual({ sender: deviceOf(bo), message })
    await world.clock.advance(7_200_000)
    await expect(to.open(envelope)).rejects.toMatchObject(code('ENVELOPE_EXPIRED'))
    await world.clock.advance(8 * DAY_MS)
    await expect(to.open(envelope)).rejects.toMatchObject(code('TAG_UNKNOWN'))
    await expect(from.seal(deviceOf(ana), message)).rejects.toMatchObject(code('NO_DELIVERY_TAG'))
  })

  it('[EE5] what is given up sooner lies for a day longer than that, and no longer', async () => {
    const { world, ana, bo } = await pair(707)
    const message = await waiting(world, { from: bo, to: ana }, 'soon over')
    const [from, to] = [await envelopesOf(world, bo, random), await envelopesOf(world, ana, random)]
    for (const node of [ana, bo]) world.kill(node)
    const envelope = await from.seal(deviceOf(ana), message, { until: world.clock.now() + 3_600_000 })
    await world.clock.advance(DAY_MS)
    expect(await to.open(envelope)).toEqual({ sender: deviceOf(bo), message })
    await world.clock.advance(2 * 3_600_000)
    await expect(to.open(envelope)).rejects.toMatchObject(code('ENVELOPE_EXPIRED'))
  })

  it("[ET3] a tag that was passed on is good for nobody else, and a blocked contact's is nobody's", async () => {
    const { world, ana, bo } = await pair(706)
    const eve = await world.start('eve')
    await world.befriend(ana, eve)
    const { prekeyId, signedPrekey } = openBundle(
      primitives,
      decodeSigned(bo.messenger.book.device(deviceOf(ana))?.bundle ?? new Uint8Array()),
      ana.messenger.identity.deviceKey,
    )
    const expiryHour = Math.ceil(world.clock.now() / 3_600_000) + 1
    const deliveryTag = (await handedTo(bo, ana)).deliveryTags.slice(0, DELIVERY_TAG_BYTES)
    const message = await waiting(world, { from: eve, to: ana }, 'as if from bo')
    const to = await envelopesOf(world, ana, random)
    const forged = await sealEnvelope(
      primitives,
      { deliveryTag, expiryHour, prekeyId, prekey: signedPrekey },
      { message, sender: eve.messenger.identity.deviceKey },
    )
    await expect(to.open(forged)).rejects.toMatchObject(code('WRONG_DEVICE'))
    const nameless = await sealEnvelope(
      primitives,
      { deliveryTag, expiryHour, prekeyId, prekey: signedPrekey },
      { message, sender: new Uint8Array() },
    )
    await expect(to.open(nameless)).rejects.toMatchObject(code('SESSION_UNKNOWN'))
    await ana.messenger.change(bo.messenger.identity.account, { blocked: true })
    await expect(to.open(forged)).rejects.toMatchObject(code('TAG_UNKNOWN'))
  })
})
