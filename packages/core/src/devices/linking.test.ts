import { describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { deviceKey } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import { loadDeviceCode, World, type WorldNode } from '../testing/world.ts'
import { encodeLinkFrame, type LinkFrameFields, type LinkShare } from '../wire/devices.ts'
import { commitmentTo, linkKeys, linkProof } from './handshake.ts'
import { parseLink } from './link.ts'
import { LINK_PROTOCOL } from './link-protocol.ts'
import { LinkTalk } from './link-talk.ts'
import type { LinkEvent } from './link-host.ts'

const code = (wanted: string) => expect.objectContaining({ code: wanted })

async function scene(seed: number) {
  await loadDeviceCode()
  const world = new World(seed)
  const [bo, phone] = [await world.start('bo'), await world.start('phone')]
  const events: LinkEvent[] = []
  const linking = await bo.messenger.devices.link()
  linking.listen((event) => events.push(event))
  const { link } = await linking.offer(null)
  const join = (node: WorldNode, text = link) => {
    const codes: string[] = []
    const done = node.messenger.devices.join(text, { onCode: (shown) => codes.push(shown) })
    done.catch(() => undefined)
    return { codes, done }
  }
  const version = () => bo.messenger.identity.listVersion
  return { world, bo, phone, link, linking, events, join, version }
}

/** A new device that says what it likes. */
async function stranger({ world, bo, phone, link }: Awaited<ReturnType<typeof scene>>) {
  const opened = await phone.swarm.open(bo.messenger.identity.device, LINK_PROTOCOL)
  if (opened.kind !== 'open') throw new Error('not reached')
  const talk = new LinkTalk(opened.channel)
  const own = new Uint8Array(32).fill(5)
  const share: LinkShare = { key: primitives.x25519PublicKey(own), nonce: new Uint8Array(32).fill(6) }
  const { identity } = phone.messenger
  const { secret, host } = parseLink(primitives, link, world.clock.now())
  const ends = { guest: identity.deviceKey, host: deviceKey(host) }
  const { dhKey, dhCertificate } = identity.entry
  const hello = { proof: linkProof(primitives, secret, ends), commitment: commitmentTo(primitives, share), name: 'x', dhKey, dhCertificate }
  const say = async (frame: LinkFrameFields): Promise<void> => {
    await talk.say(frame)
    await world.run(500)
  }
  return { talk, hello, share, say, own, ends, secret, channel: opened.channel as Channel }
}

describe('linking', () => {
  it('[DV6] both screens show the same code, and [DV7] nothing is handed over before the user confirms it', async () => {
    const { world, bo, phone, linking, events, join, version } = await scene(11)
    const { codes, done } = join(phone)
    await world.run(5_000)
    const compare = events.find(({ state }) => state === 'compare')
    expect(compare).toMatchObject({ code: codes[0], device: phone.messenger.identity.device, name: 'phone' })
    expect(codes[0]).toMatch(/^\d{6}$/)
    expect([version(), (await phone.store.identity())?.accountSeed]).toEqual([1, phone.messenger.identity.accountSeed])
    linking.answer(true, `${codes[0]?.slice(0, 3)} ${codes[0]?.slice(3)}`)
    await world.run(1_000)
    expect(await done).toMatchObject({ account: bo.messenger.identity.account, name: 'bo' })
    expect([version(), events.at(-1)]).toEqual([2, { state: 'linked', device: phone.messenger.identity.device }])
    expect((await phone.store.identity())?.accountSeed).toEqual(bo.messenger.identity.accountSeed)
  })

  it('[DV6] a code that is not the one shown, or a no, ends the link', async () => {
    for (const [accept, wrong] of [
      [true, '000000x'],
      [false, undefined],
    ] as const) {
      const { world, bo, phone, linking, join, version } = await scene(12)
      const { done } = join(phone)
      await world.run(2_000)
      linking.answer(accept, wrong)
      await world.run(1_000)
      await expect(done).rejects.toEqual(code('LINK_REFUSED'))
      const again = join(phone)
      await world.run(2_000)
      await expect(again.done).rejects.toEqual(code('LINK_EXPIRED'))
      expect([version(), await bo.store.setting('device-list')]).toEqual([1, null])
    }
  })

  it('[DV5] a link is good for one device, while it lasts, and nobody ends it without its secret', async () => {
    const { world, bo, phone, linking, join, version, events } = await scene(13)
    const eve = await world.start('eve')
    const opened = await eve.swarm.open(bo.messenger.identity.device, LINK_PROTOCOL)
    if (opened.kind !== 'open') throw new Error('not reached')
    const { dhKey, dhCertificate } = eve.messenger.identity.entry
    const [proof, commitment] = [new Uint8Array(32), new Uint8Array(32)]
    await opened.channel.send(encodeLinkFrame({ kind: 'hello', hello: { proof, commitment, name: '', dhKey, dhCertificate } }))
    await opened.channel.send(Uint8Array.of(1, 2, 3))
    await world.run(1_000)
    expect(bo.swarm.offences).toContainEqual({ device: eve.messenger.identity.device, code: 'BAD_SIGNATURE' })
    const { codes, done } = join(phone)
    await world.run(2_000)
    // Whoever has seen the link as well comes second.
    const second = join(eve)
    await world.run(2_000)
    await expect(second.done).rejects.toMatchObject({ code: 'LINK_REFUSED', data: { why: 'used' } })
    linking.answer(true, codes[0])
    await world.run(1_000)
    await done
    const third = join(eve)
    await world.run(2_000)
    await expect(third.done).rejects.toEqual(code('LINK_EXPIRED'))
    expect([version(), events.filter(({ state }) => state === 'linked').length]).toEqual([2, 1])
  })

  it('[DV5] a link that is over, or was taken back, opens nothing, also while the codes are compared', async () => {
    const late = await scene(14)
    await late.world.run(700_000)
    await expect(late.join(late.phone).done).rejects.toEqual(code('LINK_EXPIRED'))
    const slow = await scene(15)
    const waiting = slow.join(slow.phone)
    await slow.world.run(700_000)
    await expect(waiting.done).rejects.toEqual(code('LINK_EXPIRED'))
    expect(() => slow.linking.answer(true)).toThrow(code('LINK_REFUSED'))
    const back = await scene(16)
    await back.linking.withdraw()
    const refused = back.join(back.phone)
    await back.world.run(2_000)
    await expect(refused.done).rejects.toEqual(code('LINK_EXPIRED'))
  })

  it('[DV6] a share other than the one that was settled is refused, and [DV5] there is no second try to look for a code', async () => {
    const one = await scene(17)
    const { say, hello, share } = await stranger(one)
    await say({ kind: 'hello', hello })
    await say({ kind: 'reveal', share: { ...share, nonce: new Uint8Array(32).fill(9) } })
    expect(one.events.at(-1)).toMatchObject({ state: 'failed', error: { code: 'LINK_REFUSED', data: { why: 'wrong' } } })
    const two = await scene(18)
    const first = await stranger(two)
    await first.say({ kind: 'hello', hello: first.hello })
    first.channel.close()
    const again = await stranger(two)
    await again.say({ kind: 'hello', hello: again.hello })
    await expect(again.talk.hear('key')).rejects.toMatchObject({ code: 'LINK_EXPIRED' })
    expect([two.version(), two.events.some(({ state }) => state === 'compare')]).toEqual([1, false])
  })

  it('[DV6] whoever stands between both makes the codes differ', async () => {
    const one = await scene(19)
    const { say, hello, share, talk, own, ends, secret } = await stranger(one)
    await say({ kind: 'hello', hello })
    const { share: hostShare } = await talk.hear('key')
    await say({ kind: 'reveal', share })
    const shown = one.events.find((event) => event.state === 'compare')
    const { dhKey } = hello
    const keys = linkKeys(primitives, { ends, secret, dhKey, guestShare: share, hostShare }, { own, other: hostShare })
    expect(shown).toMatchObject({ code: keys.code })
    const other = { ...hostShare, nonce: new Uint8Array(32).fill(1) }
    expect(linkKeys(primitives, { ends, secret, dhKey, guestShare: share, hostShare: other }, { own, other }).code).not.toBe(keys.code)
    expect(() => keys.open(new Uint8Array(80))).toThrow(code('SEAL_BROKEN'))
    expect(() =>
      linkKeys(primitives, { ends, secret, dhKey, guestShare: share, hostShare }, { own, other: { ...share, key: new Uint8Array(32) } }),
    ).toThrow(code('KEY_REFUSED'))
  })

  it('[DV7] killed after the user confirmed and before the keys came, the new device gets them by the same link', async () => {
    const { world, bo, phone, link, linking, join, events } = await scene(20)
    join(phone)
    await world.run(2_000)
    // Not a frame passes any more: the new device dies with the old one's words on the way.
    world.kill(phone)
    linking.answer(true)
    await world.run(2_000)
    expect(bo.messenger.identity.listVersion).toBe(2)
    world.kill(bo)
    const again = await world.restart(bo)
    const back = await world.restart(phone)
    expect(back.messenger.identity.account).toBe(phone.messenger.identity.account)
    const joining = back.messenger.devices.join(link, { onCode: () => undefined })
    await world.run(3_000)
    expect((await joining).account).toBe(again.messenger.identity.account)
    expect(again.messenger.identity.listVersion).toBe(2)
    expect(events.some(({ state }) => state === 'compare')).toBe(true)
  })

  it('[DV7] a device with contacts of its own joins no other account', async () => {
    const { world, bo, phone, link } = await scene(21)
    const ana = await world.start('ana')
    await world.befriend(ana, phone)
    await expect(phone.messenger.devices.join(link, { onCode: () => undefined })).rejects.toEqual(code('ACCOUNT_IN_USE'))
    await expect(bo.messenger.devices.join(link, { onCode: () => undefined })).rejects.toEqual(code('LINK_NOT_ONE'))
  })
})
