import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as kit from '@skein/core/testing'
import { expect, it } from 'vitest'
import { acquaint, type CrashWorld, Fate, openWorld, send, talk, Witness } from './crash-world.ts'
import { folder } from './store-fixtures.ts'

const NEVER = Number.POSITIVE_INFINITY
/** Virtual time in which everything that waits must have arrived: longer than a session's reset may be put off. */
const RECOVERY_MS = 900_000

/** Steps that the whole conversation takes. */
async function countSteps(dir: string): Promise<number> {
  await acquaint(dir, kit)
  const fate = new Fate(kit, NEVER)
  const world = await talk(dir, fate)
  await world.close()
  return fate.taken
}

/** One world for each step, at which a node of it dies; and at last, for all that still lives, the real thing. */
const program = (root: string, steps: readonly number[]): string => `
  import * as kit from ${JSON.stringify(pathToFileURL(createRequire(import.meta.url).resolve('@skein/core/testing')).href)}
  import { acquaint, Fate, talk } from ${JSON.stringify(new URL('crash-world.ts', import.meta.url).href)}
  for (const step of ${JSON.stringify(steps)}) {
    const dir = ${JSON.stringify(root)} + '/' + step
    await acquaint(dir, kit)
    const fate = new Fate(kit, step)
    const world = await talk(dir, fate)
    await world.run(2_000)
    process.stdout.write(step + ' ' + (fate.dead ?? 'nobody') + '\\n')
  }
  process.kill(process.pid, 'SIGKILL')`

async function killed(root: string, steps: readonly number[]): Promise<string[]> {
  const env = { ...process.env, NODE_COMPILE_CACHE: `${root}.compiled` }
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(root, steps)], { stdio: ['ignore', 'pipe', 'inherit'], env })
  const closed = once(child, 'close')
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  expect(await closed).toEqual([null, 'SIGKILL'])
  return text.split('\n').slice(0, -1)
}

async function histories({ ana, bo }: CrashWorld): Promise<{ name: string; sent: string[]; undelivered: string[]; received: string[] }[]> {
  return Promise.all(
    (
      [
        [ana, bo],
        [bo, ana],
      ] as const
    ).map(async ([from, to]) => {
      const out = (await from.messenger.history(to.messenger.identity.account, { limit: 1_000 })).filter(
        ({ direction }) => direction === 'out',
      )
      const arrived = await to.messenger.history(from.messenger.identity.account, { limit: 1_000 })
      return {
        name: from.name,
        sent: out.map(({ id }) => id).sort(),
        undelivered: out.filter(({ state }) => state !== 'delivered').map(({ id }) => id),
        received: arrived
          .filter(({ direction }) => direction === 'in')
          .map(({ id }) => id)
          .sort(),
      }
    }),
  )
}

async function recover(dir: string): Promise<void> {
  const world = await openWorld(dir, new Fate(kit, NEVER))
  const witness = new Witness(dir)
  await world.run(2_000)
  for (const [from, to] of [
    [world.ana, world.bo],
    [world.bo, world.ana],
  ] as const)
    send(dir, { from, to, text: 'after the crash' })
  await world.run(2_000)
  const settled = async (): Promise<boolean> => (await histories(world)).every(({ undelivered }) => undelivered.length === 0)
  for (let waited = 0; waited < RECOVERY_MS && !(await settled()); waited += 30_000) await world.run(30_000)
  for (const { name, sent, undelivered, received } of await histories(world)) {
    expect({ dir, name, undelivered, received }).toEqual({ dir, name, undelivered: [], received: sent })
    const queued = witness
      .told('queued')
      .filter((line) => line.startsWith(`${name} `))
      .map((line) => line.split(' ')[1])
    expect(sent).toEqual(expect.arrayContaining(queued))
  }
  await world.close()
  const [shown, keys] = [witness.told('shown'), witness.told('key')]
  expect({ dir, shown: shown.length, keys: keys.length }).toEqual({ dir, shown: new Set(shown).size, keys: new Set(keys).size })
}

it('[ES13] killed between any two steps of sending and receiving: no key and nonce twice, nothing lost, nothing shown twice', {
  timeout: 300_000,
}, async () => {
  using place = folder()
  const steps = await countSteps(join(place.dir, 'whole'))
  expect(steps).toBeGreaterThan(40)
  const all = Array.from({ length: steps }, (_, at) => at + 1)
  const ended = await killed(place.dir, all)
  expect(ended.map((line) => line.split(' ')[0])).toEqual(all.map(String))
  // Both have died, each at every kind of step; timing may spare one near the end.
  expect(ended.filter((line) => line.endsWith('nobody')).length).toBeLessThan(5)
  for (const step of all) await recover(join(place.dir, String(step)))
})
