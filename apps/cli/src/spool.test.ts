import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { SkeinError } from '@skein/core'
import { toApiError } from '@skein/node/api'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Sending, spooled } from './spool.ts'

let top: string
let data: string
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'skein-spool-')))
  data = join(top, 'data')
  mkdirSync(data)
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const piped = (name?: string) => ({ paths: ['-'], from: Readable.from(['hello']), name, signal: new AbortController().signal })
/** Of what is no stream. */
const whole = <T>(send: Sending<T>['whole']): Sending<T> => ({
  whole: send,
  growing: async () => ({ signal: new AbortController().signal, grown: () => undefined, ended: async () => send([]) }),
})
const sent = whole(async () => 'sent')
const copies = (): string[] => (existsSync(join(data, 'files/spool')) ? readdirSync(join(data, 'files/spool')) : [])

it('[FI33] a copy is named by its real path, however the data directory is', async () => {
  symlinkSync(data, join(top, 'link'))
  for (const named of [data, relative(process.cwd(), data), join(top, 'link')])
    await spooled(
      named,
      piped('a'),
      whole(async ([path = '']) => expect(path.startsWith(join(data, 'files/spool/'))).toBe(true)),
    )
})

it.each(['', '.', '..'])(
  '[FI33] what comes through a pipe cannot be called «%s»: its copy would not lie in a folder of its own',
  async (name) => {
    const sending = spooled(data, piped(name), sent)
    await expect(sending).rejects.toMatchObject({ code: 'USAGE' })
    expect(copies()).toEqual([])
  },
)

it('[FI33] the copy goes when it is refused, and stays when nobody knows whether it was taken', async () => {
  const refused = spooled(
    data,
    piped(),
    whole(() => Promise.reject(toApiError(new SkeinError('CONTACT_UNKNOWN', 'Nobody is called so.')))),
  )
  await expect(refused).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' })
  expect(copies()).toEqual([])
  await expect(
    spooled(
      data,
      piped(),
      whole(() => Promise.reject(new TypeError('terminated'))),
    ),
  ).rejects.toThrow('terminated')
  expect(copies()).toHaveLength(1)
})

/** A pipe that is held open, and what is said of it. */
function held(): { from: PassThrough; told: unknown[]; over: AbortController; sending: Sending<string> } {
  const [from, told, over] = [new PassThrough(), [] as unknown[], new AbortController()]
  const ended = async (bytes: number): Promise<string> => `${bytes} sent`
  const growing = async (path: string) => {
    told.push(readFileSync(path).length)
    return { signal: over.signal, grown: (bytes: number) => void told.push(bytes), ended }
  }
  return { from, told, over, sending: { whole: async () => 'whole', growing } }
}

it.each([
  [1_048_576, 'whole'],
  [1_048_577, '1048577 sent'],
])('[FI70] of %i bytes: up to 1 MiB is offered when it is whole, more while it comes', async (size, how) => {
  const { from, sending } = held()
  from.end(Buffer.alloc(size))
  expect(await spooled(data, { ...piped(), from }, sending)).toBe(how)
})

it('[FI70] is offered when the pipe is still open, and each piece is told of when it is kept', async () => {
  const { from, told, sending } = held()
  const done = spooled(data, { ...piped(), from }, sending)
  from.write(Buffer.alloc(700_000))
  from.write(Buffer.alloc(700_000))
  await vi.waitFor(() => expect(told).toEqual([1_400_000, 1_400_000]))
  from.end(Buffer.alloc(5))
  expect(await done).toBe('1400005 sent')
  expect(told).toEqual([1_400_000, 1_400_000, 1_400_005])
  expect(copies()).toHaveLength(1)
})

it('[FI70] with something beside it the list has its size, so that it is offered when it is whole', async () => {
  const { from, sending } = held()
  from.end(Buffer.alloc(2_000_000))
  expect(await spooled(data, { ...piped(), paths: ['-', '.'], from }, sending)).toBe('whole')
})

it('[FI73] [FI74] broken off by the user, or wanted by nobody any more: the pipe is not read on, and its copy goes', async () => {
  for (const who of ['user', 'nobody']) {
    const { from, told, over, sending } = held()
    const user = new AbortController()
    const done = spooled(data, { ...piped(), from, signal: user.signal }, sending)
    from.write(Buffer.alloc(1_400_000))
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(1))
    if (who === 'user') user.abort()
    else over.abort(new SkeinError('PIPE_BROKEN', 'Nobody is to get it.'))
    await expect(done).rejects.toMatchObject({ code: 'PIPE_BROKEN' })
    expect([from.destroyed, copies()]).toEqual([true, []])
  }
})

it('[FI33] a pipe that leaves too little room on the disk is broken off before it is full, and its copy goes', async () => {
  const from = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(1_000_000)))
  const looks: string[] = []
  const freeBytes = (folder: string): number => looks.push(folder)
  const sending = spooled(data, { ...piped(), from, freeBytes }, sent)
  await expect(sending).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining('what was sent of it is gone') })
  expect([looks.length, copies()]).toEqual([1, []])
})
