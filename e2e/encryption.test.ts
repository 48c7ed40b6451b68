/** What encryption promises, on real processes: nothing readable at a relay or in a log, and no harm from an old copy of a database. */
import { cpSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, type LabClient } from './processes.ts'

/** Every file below a directory whose bytes hold `text`. */
function filesWith(dir: string, text: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(text))
}

/** How often `text` stands in the memory of a process of ours: its writable mappings, read as they are. */
function timesInMemory(pid: number, text: string): number {
  const memory = openSync(`/proc/${pid}/mem`, 'r')
  const writable = readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .filter((line) => / rw/.test(line) && !line.includes('[vvar'))
  let times = 0
  for (const line of writable) {
    const [start = 0, end = 0] = (line.split(' ')[0] ?? '').split('-').map((hex) => Number.parseInt(hex, 16))
    times += timesIn(memory, { start, end, text })
  }
  return times
}

function timesIn(memory: number, { start, end, text }: { start: number; end: number; text: string }): number {
  const piece = Buffer.alloc(1 << 20)
  let times = 0
  for (let at = start; at < end; at += piece.length - text.length) {
    try {
      const read = readSync(memory, piece, 0, Math.min(piece.length, end - at), at)
      for (let found = piece.subarray(0, read).indexOf(text); found >= 0; found = piece.subarray(0, read).indexOf(text, found + 1))
        times += 1
    } catch {
      return times // a mapping that has gone, or is not backed
    }
  }
  return times
}

async function allDelivered(from: LabClient, contact: string, count: number): Promise<void> {
  await eventually(
    `${count} delivered`,
    async () => (await from.history(contact)).filter(({ state }) => state === 'delivered').length >= count,
    { within: 60_000 },
  )
}

it('[EA3] a marked text is found in no memory and no file of the relay, and in no log', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay('relay', {}, ['--debug'])
  const [ana, bo] = [await lab.client('ana', [relay.url], ['--debug']), await lab.client('bo', [relay.url], ['--debug'])]
  await befriend(ana, bo)
  const marked = `canary-${randomUUID()}`
  await bo.end('SIGKILL')
  for (let number = 0; number < 20; number += 1) await ana.run('send', 'bo', '--', `${marked} while away ${number}`)
  await eventually('the relay holds mail', async () =>
    (await ana.run('outbox')).json.outbox.every(({ state }: { state: string }) => state === 'carried'),
  )
  await bo.start()
  await allDelivered(ana, 'bo', 20)
  for (let number = 0; number < 20; number += 1) await bo.run('send', 'ana', '--', `${marked} back ${number}`)
  await allDelivered(bo, 'ana', 20)
  // The search itself works: the text is in the memory and the database of those who wrote it.
  if (process.platform === 'linux') expect(timesInMemory(ana.pid, marked)).toBeGreaterThan(0)
  expect(filesWith(ana.dir, marked).length).toBeGreaterThan(0)
  if (process.platform === 'linux') expect(timesInMemory(relay.pid, marked)).toBe(0)
  expect(filesWith(relay.dir, marked)).toEqual([])
  for (const { stderr } of [relay, ana, bo]) expect(stderr).not.toContain(marked)
})

it('[EV1] both sides show the same safety number; its digits mark a contact as verified, others do not', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const shown = (await bo.run('verify', 'ana')).json
  expect(shown).toMatchObject({ contact: ana.account, trust: 'unverified' })
  expect(shown.safety_number).toMatch(/^(\d{5} ){11}\d{5}$/)
  const wrong = await ana.run('verify', 'bo', '--match', '12345 67890')
  expect(wrong).toMatchObject({ code: 1, json: { error: { code: 'SAFETY_NUMBER_DIFFERS' } } })
  expect((await ana.run('verify', 'bo')).json).toEqual({ ...shown, contact: bo.account })
  expect((await ana.run('verify', 'bo', '--match', shown.safety_number)).json.trust).toBe('verified')
  expect((await ana.run('contacts')).json.contacts).toMatchObject([{ contact: bo.account, trust: 'verified' }])
  expect((await ana.run('verify', 'bo', '--no')).json.trust).toBe('unverified')
  expect((await ana.run('verify', 'bo', '--yes')).json.trust).toBe('verified')
  expect((await ana.run('verify', 'bo', '--yes', '--no')).code).toBe(2)
})

it('[ES6] a database copied back from before: what is sent afterwards arrives, nothing twice', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await ana.run('send', 'bo', '--wait', 'delivered', '--', 'one')
  await bo.run('send', 'ana', '--wait', 'delivered', '--', 'answer')
  await ana.end()
  const copy = `${ana.dir}-copy`
  cpSync(ana.dir, copy, { recursive: true })
  await ana.start()
  for (const text of ['two', 'three']) await ana.run('send', 'bo', '--wait', 'delivered', '--', text)
  await ana.end()
  for (const file of readdirSync(copy).filter((name) => name.includes('.sqlite'))) cpSync(join(copy, file), join(ana.dir, file))
  for (const file of readdirSync(ana.dir).filter((name) => /\.sqlite-(wal|shm)$/.test(name) && !readdirSync(copy).includes(name)))
    rmSync(join(ana.dir, file))
  await ana.start()
  for (const text of ['four', 'five']) await ana.run('send', 'bo', '--', text)
  await bo.run('send', 'ana', '--', 'still there?')
  await eventually('all is there', async () => (await bo.history('ana')).filter(({ direction }) => direction === 'in').length >= 5, {
    within: 90_000,
  })
  await eventually('and the answer', async () => (await ana.history('bo')).some(({ text }) => text === 'still there?'), { within: 90_000 })
  expect((await bo.history('ana')).filter(({ direction }) => direction === 'in').map(({ text }) => text)).toEqual([
    'one',
    'two',
    'three',
    'four',
    'five',
  ])
}, 240_000)
