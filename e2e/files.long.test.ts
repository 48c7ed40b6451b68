/** Files that take long: many kills, many files, and one that is larger than any memory. */
import {
  mkdirSync,
  openSync,
  closeSync,
  ftruncateSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createHash, randomBytes, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab } from './processes.ts'
import { acceptAll, leftovers, randomFile, send, sha256Of, transferOf, two, untilState } from './transfers.ts'

const MINUTES = 60_000
const WINDOW_BYTES = 4_194_304
const KILLS = 10

it('[FI15] [FI18] 200 MB with ten kills at random points, of either side or the relay, arrive whole and hardly twice', {
  timeout: 20 * MINUTES,
}, async () => {
  await using lab = await Promise.resolve(new Lab())
  const { relay, ana, bo } = await two(lab)
  const bytes = 200_000_000
  const sha256 = randomFile(lab.path('big'), bytes)
  await acceptAll(bo, ana, lab.path('in'))
  await ana.run('transfers', '--rate', '20MB')
  const transfer = await send(ana, bo, lab.path('big'))
  for (let kill = 0; kill < KILLS; kill += 1) {
    const goal = ((kill + 1) * bytes) / (KILLS + 2) - randomInt(bytes / 40)
    const isFar = async (): Promise<boolean> => ((await transferOf(bo, transfer))?.bytes ?? 0) >= goal
    await eventually(`it has moved on to ${goal}`, isFar, { within: 3 * MINUTES })
    const victim = [bo, ana, relay][randomInt(3)] ?? bo
    await victim.end('SIGKILL')
    await victim.start()
  }
  await ana.run('transfers', '--rate', 'off')
  let done = await transferOf(bo, transfer)
  const isDone = async (): Promise<boolean> => {
    done = await transferOf(bo, transfer)
    return done?.state === 'done'
  }
  await eventually('it is there', isDone, { within: 10 * MINUTES })
  expect(done?.sha256).toBe(sha256)
  expect(await sha256Of(lab.path('in/big'))).toBe(sha256)
  expect(done?.moved).toBeLessThanOrEqual(1.05 * bytes + KILLS * WINDOW_BYTES)
  // What was sent, also what was lost on the way; of that which its killed sender had not noted, nothing is known.
  expect((await untilState(ana, transfer, 'done')).moved).toBeLessThanOrEqual(1.05 * bytes + KILLS * WINDOW_BYTES)
  await eventually('nothing is left beside it', () => leftovers(lab.path('in'), bo).length === 0)
})

it('[FI16] two send a file of one name at once: both are there, whole, under two names', { timeout: 5 * MINUTES }, async () => {
  await using lab = await Promise.resolve(new Lab())
  const { relay, ana, bo } = await two(lab)
  const cy = await lab.client('cy', [relay.url])
  await befriend(cy, bo)
  const senders = [ana, cy]
  const wanted = new Set<string>()
  for (const [at, sender] of senders.entries()) {
    mkdirSync(lab.path(`${sender.name}-out`))
    wanted.add(randomFile(lab.path(`${sender.name}-out/same.bin`), 5_000_000 + at))
    await acceptAll(bo, sender, lab.path('in'))
  }
  const sent = await Promise.all(senders.map((sender) => send(sender, bo, lab.path(`${sender.name}-out/same.bin`))))
  for (const each of sent) await untilState(bo, each, 'done')
  expect(readdirSync(lab.path('in')).sort()).toEqual(['same (2).bin', 'same.bin'])
  const got = await Promise.all(['same.bin', 'same (2).bin'].map((name) => sha256Of(lab.path(`in/${name}`))))
  expect(new Set(got)).toEqual(wanted)
})

it('[FI3] 7,000 files of 100 KB in one transfer', { timeout: 20 * MINUTES }, async () => {
  await using lab = await Promise.resolve(new Lab())
  const { ana, bo } = await two(lab)
  mkdirSync(lab.path('many'))
  const digests = new Map<string, string>()
  for (let number = 0; number < 7_000; number += 1) {
    const bytes = randomBytes(100_000)
    const name = `file ${number}`
    writeFileSync(join(lab.path('many'), name), bytes)
    digests.set(name, createHash('sha256').update(bytes).digest('hex'))
  }
  await acceptAll(bo, ana, lab.path('in'))
  const transfer = await send(ana, bo, lab.path('many'))
  await eventually('it is there', async () => (await transferOf(bo, transfer))?.state === 'done', { within: 15 * MINUTES })
  expect(readdirSync(lab.path('in/many'))).toHaveLength(7_000)
  for (const [name, digest] of digests)
    expect(
      createHash('sha256')
        .update(readFileSync(lab.path(`in/many/${name}`)))
        .digest('hex'),
    ).toBe(digest)
})

it('[FI12] [FI13] a sparse file of 20 GB; neither side holds more than 200 MB, all that a client holds anyway included', {
  timeout: 60 * MINUTES,
}, async () => {
  await using lab = await Promise.resolve(new Lab())
  const { ana, bo } = await two(lab)
  const bytes = 20_000_000_000
  const fd = openSync(lab.path('sparse'), 'w')
  ftruncateSync(fd, bytes)
  for (const at of [0, 7_654_321_000, bytes - 5]) writeSync(fd, Buffer.from('marks'), 0, 5, at)
  closeSync(fd)
  await acceptAll(bo, ana, lab.path('in'))
  const transfer = await send(ana, bo, lab.path('sparse'))
  let most = [0, 0]
  const isDone = async (): Promise<boolean> => {
    most = [ana, bo].map((each, at) => Math.max(most[at] ?? 0, residentOf(each)))
    return (await transferOf(bo, transfer))?.state === 'done'
  }
  await eventually('it is there', isDone, { within: 50 * MINUTES })
  expect(statSync(lab.path('in/sparse')).size).toBe(bytes)
  expect((await untilState(ana, transfer, 'done')).sha256).toBe((await transferOf(bo, transfer))?.sha256)
  expect(Math.max(...most)).toBeLessThan(200_000_000)
  rmSync(lab.path('in'), { recursive: true })
})

function residentOf({ pid }: { readonly pid: number }): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1_024
}
