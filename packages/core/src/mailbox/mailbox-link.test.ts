import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
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
