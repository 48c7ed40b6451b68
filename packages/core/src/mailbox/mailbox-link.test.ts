import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import type { Channel } from '../ports/swarm.ts'
import { World } from '../testing/world.ts'
import { MailboxLink } from './mailbox-link.ts'

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
