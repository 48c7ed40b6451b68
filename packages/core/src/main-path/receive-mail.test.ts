import { describe, expect, it } from 'vitest'
import { openBundle } from '../e2ee/bundle.ts'
import { dayOf, fetchSecretOf, tagsAhead } from '../e2ee/delivery-tags.ts'
import { sealEnvelope } from '../e2ee/envelope.ts'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { SkeinError } from '../errors/index.ts'
import { inviteHash, parseInvite } from '../identity/index.ts'
import { World, type WorldNode } from '../testing/world.ts'
import { DELIVERY_TAG_BYTES } from '../wire/sealed.ts'
import { decodeSigned } from '../wire/signed.ts'
import type { MainPath } from './context.ts'
import { receiveMail } from './receive-mail.ts'

const A = 'http://a.test'
const deviceOf = ({ messenger }: WorldNode) => messenger.identity.device
const texts = async (world: World, at: WorldNode, of: WorldNode) => (await world.history(at, of)).map(({ text }) => text)

async function friends(seed: number): Promise<{ world: World; ana: WorldNode; bo: WorldNode }> {
  const world = new World(seed)
  world.relay(A)
  const [ana, bo] = [await world.start('ana', { mailboxes: [A] }), await world.start('bo', { mailboxes: [A] })]
  await world.befriend(ana, bo)
  await world.run(5_000)
  return { world, ana, bo }
}

function pathOf({ messenger }: WorldNode): MainPath {
  const path = messenger['mainPath']
  if (path === undefined) throw new Error('not running')
  return path
}

/** What anybody can leave who holds an invite of `to`: `message` as if from `claimed`. */
async function underInvite(
  world: World,
  to: WorldNode,
  { message, claimed, seq }: { message: Uint8Array; claimed: WorldNode; seq: number },
) {
  const { invite } = await to.messenger.invite()
  const { identity } = to.messenger
  const sender = inviteHash(primitives, parseInvite(primitives, invite, world.clock.now()).secret)
  const tags = tagsAhead(primitives, fetchSecretOf(primitives, identity.deviceSeed), { sender, day: dayOf(world.clock.now()) })
  const bundle = claimed.messenger.book.device(deviceOf(to))?.bundle ?? new Uint8Array()
  const { prekeyId, signedPrekey: prekey } = openBundle(primitives, decodeSigned(bundle), identity.deviceKey)
  const address = { deliveryTag: tags[0]?.slice(0, DELIVERY_TAG_BYTES) ?? new Uint8Array(), prekeyId, prekey }
  const expiryHour = Math.ceil(world.clock.now() / 3_600_000) + 1
  return sealEnvelope(primitives, { ...address, expiryHour }, { message, sender: claimed.messenger.identity.deviceKey, seq })
}

describe('mail', () => {
  it('[ES6] a recipient whose database was copied back, reached by mail alone, asks for a new session and gets what was lost', async () => {
    const { world, ana, bo } = await friends(751)
    const copy = bo.store.reopened()
    for (const [from, to] of [
      [ana, bo],
      [bo, ana],
      [ana, bo],
    ] as const) {
      await world.send(from, to, 'hello')
      await world.run(5_000)
    }
    world.network.partition(deviceOf(ana), deviceOf(bo), true)
    world.kill(bo)
    await copy.commit([{ kind: 'session.remove', device: deviceOf(ana) }])
    await world.send(ana, bo, 'by mail')
    await world.run(30_000)
    const again = await world.start('bo', { store: copy, mailboxes: [A] })
    await world.run(300_000)
    expect(await texts(world, again, ana)).toContain('by mail')
    expect((await world.history(ana, again)).map(({ state }) => state)).toEqual(Array(4).fill('delivered'))
  })

  it.each(['STORE_LOCKED', 'STORE_CORRUPT', 'DATA_DIR_READ_ONLY', 'DISK_FULL'] as const)(
    '[MB27] mail that a store could not keep (%s) lies on and is looked at again until it can',
    async (code) => {
      const { world, ana, bo } = await friends(753)
      world.network.partition(deviceOf(ana), deviceOf(bo), true)
      const commit = bo.store.commit.bind(bo.store)
      let refused = 0
      bo.store.commit = () => {
        refused += 1
        return Promise.reject(new SkeinError(code, 'Not now.'))
      }
      await world.send(ana, bo, 'kept for later')
      await world.run(60_000)
      expect(refused).toBeGreaterThan(0)
      world.kill(ana)
      await world.run(600_000)
      expect(refused).toBeLessThan(20)
      bo.store.commit = commit
      await world.run(600_000)
      expect(await texts(world, bo, ana)).toEqual(['kept for later'])
    },
  )

  it('[EA5] whoever holds an invite spends nothing of a contact in whose name it writes: no budget, no session, no numbers', async () => {
    const { world, ana, bo } = await friends(752)
    world.network.partition(deviceOf(ana), deviceOf(bo), true)
    const { id } = await world.send(bo, ana, 'a first flight')
    const [row] = await bo.store.outbox(deviceOf(ana), 0, 1)
    if (row?.message !== id) throw new Error('nothing waits')
    const broken = row.sealed.with(-1, (row.sealed.at(-1) ?? 0) ^ 1)
    const path = pathOf(ana)
    const [heard, payers]: [number[], (string | undefined)[]] = [[], []]
    const cipher: MainPath['cipher'] = Object.assign(Object.create(path.cipher), {
      pair: (...asked: Parameters<MainPath['cipher']['pair']>) => {
        if (asked[1] !== undefined) payers.push(asked[2])
        return path.cipher.pair(...asked)
      },
    })
    const watched = { ...path, cipher, onArrived: (_: unknown, seq: number) => void heard.push(seq) }
    const forged = await underInvite(world, ana, { message: broken, claimed: bo, seq: 4_000_000_000 })
    for (let number = 0; number < 3; number += 1)
      expect(await receiveMail(watched, forged, { isAgain: false, onFrom: () => undefined })).toBe('done')
    expect(heard).toEqual([])
    expect(payers).toEqual(Array(3).fill(expect.stringContaining('invite')))
    expect(await ana.store.outbox(deviceOf(bo), 0, 9)).toEqual([])
    await world.run(10_000)
    expect(await texts(world, ana, bo)).toEqual(['a first flight'])
  })
})
