import { expect, it } from 'vitest'
import { MemoryStore } from '../testing/memory-store.ts'
import { World } from '../testing/world.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { inviteLocator, openInviteCard, parseInvite } from '../identity/index.ts'
import { type CardReplyFrame, type CardRequestFrame, decodeCardReply, encodeCardRequest } from '../wire/card-drop.ts'
import { Admissions, MAX_ADMITTED } from './admissions.ts'
import { CARD_PROTOCOL } from './invite-cards.ts'

it('[CT4] an introduction that is not answered is tried again', async () => {
  const world = new World(40)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  const { invite } = await ana.messenger.invite()
  let asked = 0
  const stop = ana.swarm.handle('/skein/contact/1', async (channel) => {
    asked += 1
    for await (const _ of channel.frames()) break
  })
  const adding = bo.messenger.add(invite)
  await world.run(60_000)
  expect((await adding).state).toBe('pending')
  expect(asked).toBeGreaterThan(1)
  stop()
})

it('[CT5] a contact that hangs up at once is not called more than twice a second', async () => {
  const world = new World(41)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  await world.befriend(ana, bo)
  await bo.messenger.change(ana.messenger.identity.account, { blocked: true })
  let calls = 0
  bo.swarm.handle('/skein/presence/1', async (channel) => {
    calls += 1
    channel.close()
  })
  await world.run(60_000)
  expect(calls).toBeGreaterThan(0)
  expect(calls).toBeLessThanOrEqual(121)
})

it('[PR2] who arrives on a topic is welcomed by those who are there', async () => {
  const world = new World(42)
  const relay = (await world.start('relay')).messenger.identity.device
  const joined = { url: 'http://relay.test', device: relay, connected: true, reserved: true, passable: true, givesPlaces: true }
  const [ana, bo] = [await world.start('ana', { visibility: 'everyone' }), await world.start('bo', { visibility: 'everyone' })]
  for (const listener of ana.swarm.listeners) listener.onRelay?.(joined)
  await world.run(20_000)
  for (const listener of bo.swarm.listeners) listener.onRelay?.(joined)
  await world.run(1_200)
  expect(bo.messenger.presence.isPresent(ana.messenger.identity.device)).toBe(true)
})

it('[IN8] an invite admits a bounded number, also of many who come at once; the next is a stranger who asks', async () => {
  const store = new MemoryStore()
  const invite = { secret: new Uint8Array(16), expiresAt: 1, revoked: false, admitted: 1 }
  const admissions = new Admissions(store)
  const admitted = await Promise.all(Array.from({ length: 2 * MAX_ADMITTED }, () => admissions.admit(invite)))
  expect(admitted.filter(Boolean)).toHaveLength(MAX_ADMITTED - 1)
  expect(await store.invites()).toEqual([{ ...invite, admitted: MAX_ADMITTED }])
  expect(await new Admissions(store).admit({ ...invite, admitted: MAX_ADMITTED })).toBe(false)

  const world = new World(43)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  const made = await ana.messenger.invite()
  for (const stored of await ana.store.invites())
    await ana.store.commit([{ kind: 'invite.put', invite: { ...stored, admitted: MAX_ADMITTED } }])
  const adding = bo.messenger.add(made.invite)
  await world.run(15_000)
  expect((await adding).state).toBe('pending')
  expect(ana.messenger.book.all()).toMatchObject([{ state: 'requested' }])
})

it('[IN9] a revoked invite makes nobody a contact: neither who has taken its card before, nor who comes later', async () => {
  const world = new World(44)
  const [ana, bo, eve] = [await world.start('ana'), await world.start('bo'), await world.start('eve')]
  const [first, second] = [await ana.messenger.invite(), await ana.messenger.invite()]
  world.kill(ana)
  const early = bo.messenger.add(first.invite)
  await world.run(15_000)
  expect((await early).state).toBe('pending')
  const again = await world.restart(ana)
  expect(await again.messenger.revokeInvites(first.invite)).toBe(1)
  expect(await again.messenger.revokeInvites(first.invite)).toBe(0)
  await world.run(60_000)
  expect(again.messenger.book.all()).toEqual([])
  await expect(eve.messenger.add(first.invite)).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' })
  await expect(eve.messenger.revokeInvites(second.invite)).rejects.toMatchObject({ code: 'INVITE_UNKNOWN' })
  expect(await again.messenger.revokeInvites()).toBe(1)
  await expect(eve.messenger.add(second.invite)).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' })
})

it('[OP1] a device answers for the cards of its own open invites alone, and takes none of others', async () => {
  const world = new World(45)
  const [ana, bo] = [await world.start('ana'), await world.start('bo')]
  const { invite, expiresAt } = await ana.messenger.invite('http://192.168.1.20:8014')
  expect(invite).toMatch(/^http:\/\/192\.168\.1\.20:8014\/#/)
  const { secret } = parseInvite(noblePrimitives, invite, world.clock.now())
  const key = inviteLocator(noblePrimitives, secret)
  const ask = async (request: CardRequestFrame | Uint8Array): Promise<CardReplyFrame | undefined> => {
    const opened = await bo.swarm.open(ana.messenger.identity.device, CARD_PROTOCOL)
    if (opened.kind === 'absent') throw new Error('ana is not there')
    void opened.channel.send(request instanceof Uint8Array ? request : encodeCardRequest(request))
    const reading = (async () => {
      for await (const frame of opened.channel.frames()) return decodeCardReply(frame)
      return undefined
    })()
    await world.run(2_000)
    return reading
  }
  expect(openInviteCard(noblePrimitives, (await ask({ kind: 'get', key }))?.value ?? new Uint8Array(), secret).length).toBeGreaterThan(100)
  expect((await ask({ kind: 'get', key: key.map((byte) => byte ^ 1) }))?.outcome).toBe('none')
  expect((await ask({ kind: 'put', key, value: new Uint8Array(10), expiresAt }))?.outcome).toBe('refused')
  expect(await ask(new Uint8Array(40).fill(0xff))).toBeUndefined()
  await ana.messenger.revokeInvites()
  expect((await ask({ kind: 'get', key }))?.outcome).toBe('none')
})
