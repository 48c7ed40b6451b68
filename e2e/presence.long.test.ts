/** Presence against real time: what 45 s without a sign of life do, and what less does not. */
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, type LabClient } from './processes.ts'

/** After this long without a sign of life a peer is gone, and not before; milliseconds. */
const GONE_AFTER_MS = 45_000
/** By then everybody must have noticed, milliseconds. */
const NOTICED_BY_MS = 60_000

/** Two contacts who see each other. */
async function inSight(lab: Lab): Promise<readonly [LabClient, LabClient]> {
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await eventually('both online', async () => (await ana.isOnline('bo')) && (await bo.isOnline('ana')))
  return [ana, bo]
}

/** Watches until `who` is gone; resolves to how long after its last sign of life that was. */
async function silenceUntilGone(watcher: LabClient, who: LabClient): Promise<number> {
  let lastSeen = 0
  await eventually(
    `${who.name} is gone`,
    async () => {
      const seen = await watcher.peer(who)
      if (seen?.online !== true) return true
      lastSeen = Math.max(lastSeen, seen.last_seen ?? 0)
      return false
    },
    { within: 2 * NOTICED_BY_MS },
  )
  return Date.now() - lastSeen
}

it('[PR4] a client killed without a word is gone 45 to 60 s after its last sign of life', async () => {
  await using lab = await Promise.resolve(new Lab())
  const [ana, bo] = await inSight(lab)
  const killedAt = Date.now()
  await bo.end('SIGKILL')
  const silence = await silenceUntilGone(ana, bo)
  expect(silence).toBeGreaterThanOrEqual(GONE_AFTER_MS)
  expect(silence).toBeLessThanOrEqual(NOTICED_BY_MS)
  expect(Date.now() - killedAt).toBeLessThanOrEqual(NOTICED_BY_MS)
  expect(await ana.isOnline('bo')).toBe(false)
})

it('[PR4] a client that hangs is gone as well, though its connections stand, and is back when it goes on', async () => {
  await using lab = await Promise.resolve(new Lab())
  const [ana, bo] = await inSight(lab)
  bo.signal('SIGSTOP')
  const silence = await silenceUntilGone(ana, bo)
  expect(silence).toBeGreaterThanOrEqual(GONE_AFTER_MS)
  expect(silence).toBeLessThanOrEqual(NOTICED_BY_MS)
  bo.signal('SIGCONT')
  await eventually('bo is back', () => ana.isOnline('bo'))
})

it('[PR4] a client that is killed and started again at once is never shown as gone', async () => {
  await using lab = await Promise.resolve(new Lab())
  const [ana, bo] = await inSight(lab)
  await bo.end('SIGKILL')
  await bo.start()
  const start = Date.now()
  await eventually(
    'a minute has passed',
    async () => {
      expect((await ana.peer(bo))?.online).toBe(true)
      return Date.now() - start > NOTICED_BY_MS
    },
    { within: 2 * NOTICED_BY_MS },
  )
})
