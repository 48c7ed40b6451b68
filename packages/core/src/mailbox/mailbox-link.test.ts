import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import type { Channel } from '../ports/swarm.ts'
import { A, B, scene, states } from '../testing/mail-scene.ts'
import { World } from '../testing/world.ts'
import { decodeMailboxRequest, encodeMailboxReply } from '../wire/mailbox.ts'
import { MailboxLink } from './mailbox-link.ts'
import { MAILBOX_PROTOCOL } from './protocol.ts'

it('[MB18] a visit to a mailbox leaves nothing behind, and ends with whoever asked for it', async () => {
  const world = new World(720)
  const url = 'http://a.test'
  world.relay(url)
  const { swarm } = await world.start('ana')
  const stopping = new AbortController()
  const visit = async (): Promise<MailboxLink> => {
    const opening = MailboxLink.open({ swarm, clock: world.clock }, { url, signal: stopping.signal })
    await world.run(1_000)
    const link = await opening
    if (link === undefined) throw new Error('no mailbox')
    return link
  }
  for (let number = 0; number < 5; number += 1) (await visit()).close()
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([])
  const last = await visit()
  stopping.abort()
  expect(last.closed).toBe(true)
})

it('[MB28] requests over a slow line wait for those before them, and a relay that takes nothing is given up', async () => {
  const world = new World(734)
  const url = 'http://a.test'
  world.relay(url)
  const { swarm } = await world.start('ana')
  let isSlow = false
  let line: Promise<unknown> = Promise.resolve()
  const openRelay: typeof swarm.openRelay = async (...asked) => {
    const opened = await swarm.openRelay(...asked)
    if (opened.kind === 'absent') return opened
    const send: Channel['send'] = (bytes) => {
      if (!isSlow) return opened.channel.send(bytes)
      const turn = line.then(() => world.clock.sleep(8_000)).then(() => opened.channel.send(bytes))
      line = turn
      return turn
    }
    return { ...opened, channel: Object.assign(Object.create(opened.channel), { send }) as Channel }
  }
  const slow = Object.assign(Object.create(swarm), { openRelay }) as typeof swarm
  const opening = MailboxLink.open({ swarm: slow, clock: world.clock }, { url, signal: new AbortController().signal })
  await world.run(1_000)
  const link = await opening
  if (link === undefined) throw new Error('no mailbox')
  isSlow = true
  const answers = Array.from({ length: 6 }, () => link.ask({ kind: 'hello' }))
  await world.run(60_000)
  expect((await Promise.all(answers)).map((each) => each?.kind)).toEqual(Array(6).fill('welcome'))
  line = new Promise(() => undefined)
  const unanswered = link.ask({ kind: 'hello' })
  await world.run(25_000)
  expect([await unanswered, link.closed]).toEqual([undefined, true])
})

/** A relay that welcomes, takes everything, answers nothing more and says something else every 15 seconds. */
function talkative(world: World, url: string, says: number | 'answers'): void {
  const { device } = world.relay(url)
  const serve = async (channel: Channel): Promise<void> => {
    let isOpen = true
    const talk = async (): Promise<void> => {
      for (let number = 2; isOpen && (await world.clock.sleep(15_000)); number += 1)
        await channel.send(encodeMailboxReply(says === 'answers' ? number : says, { kind: 'done' }))
    }
    void talk()
    for await (const bytes of channel.frames()) {
      const { number, body } = decodeMailboxRequest(bytes)
      const welcome = { kind: 'welcome', challenge: new Uint8Array(32), tokenKey: new Uint8Array(49) } as const
      if (body.kind === 'hello' && number === 1) await channel.send(encodeMailboxReply(number, welcome))
    }
    isOpen = false
  }
  world.network.setRelay(url, { device, handlers: new Map([[MAILBOX_PROTOCOL, serve]]) })
}

it.each([
  ['says what nobody has asked for', 0, 25_000],
  ['answers one request after the other, and the last never in time', 'answers', 125_000],
] as const)('[MB28] a relay that %s is given up', async (_, says, withinMs) => {
  const world = new World(735)
  const url = 'http://a.test'
  talkative(world, url, says)
  const { swarm } = await world.start('ana')
  const opening = MailboxLink.open({ swarm, clock: world.clock }, { url, signal: new AbortController().signal })
  await world.run(1_000)
  const link = await opening
  if (link === undefined) throw new Error('no mailbox')
  const answers = Array.from({ length: 20 }, () => link.ask({ kind: 'hello' }))
  await world.run(withinMs)
  expect([link.closed, await answers.at(-1)]).toEqual([true, undefined])
})

it('[MB28] a mailbox that only pretends to get on keeps neither mail nor tokens from the other', async () => {
  const { world, relays, ana, bo } = await scene(736, [A, B])
  world.kill(bo)
  talkative(world, A, 0)
  await world.send(ana, bo, 'left where it is taken')
  await world.run(60_000)
  expect(await relays[1]?.store.totals()).toMatchObject({ envelopes: 1 })
  expect(await states(world, ana, bo)).toEqual(['carried'])
  const carl = await world.start('carl', { mailboxes: [] })
  await world.befriend(ana, carl)
  await world.run(60_000)
  expect((await carl.store.tokens(B, ana.messenger.identity.account, 99)).length).toBeGreaterThan(0)
})
