import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { SkeinError } from '@skein/core'
import { toApiError } from '@skein/node/api'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { spooled } from './spool.ts'

let top: string
let data: string
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'skein-spool-')))
  data = join(top, 'data')
  mkdirSync(data)
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const piped = (name?: string) => ({ paths: ['-'], from: Readable.from(['hello']), name, signal: new AbortController().signal })
const copies = (): string[] => (existsSync(join(data, 'files/spool')) ? readdirSync(join(data, 'files/spool')) : [])

it('[FI33] a copy is named by its real path, however the data directory is', async () => {
  symlinkSync(data, join(top, 'link'))
  for (const named of [data, relative(process.cwd(), data), join(top, 'link')])
    await spooled(named, piped('a'), async ([path = '']) => expect(path.startsWith(join(data, 'files/spool/'))).toBe(true))
})

it.each(['', '.', '..'])(
  '[FI33] what comes through a pipe cannot be called «%s»: its copy would not lie in a folder of its own',
  async (name) => {
    const sending = spooled(data, piped(name), async () => 'sent')
    await expect(sending).rejects.toMatchObject({ code: 'USAGE' })
    expect(copies()).toEqual([])
  },
)

it('[FI33] the copy goes when it is refused, and stays when nobody knows whether it was taken', async () => {
  const refused = spooled(data, piped(), () => Promise.reject(toApiError(new SkeinError('CONTACT_UNKNOWN', 'Nobody is called so.'))))
  await expect(refused).rejects.toMatchObject({ code: 'CONTACT_UNKNOWN' })
  expect(copies()).toEqual([])
  await expect(spooled(data, piped(), () => Promise.reject(new TypeError('terminated')))).rejects.toThrow('terminated')
  expect(copies()).toHaveLength(1)
})

it('[FI33] a pipe that leaves too little room on the disk is broken off before it is full, and its copy goes', async () => {
  const from = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(1_000_000)))
  const looks: string[] = []
  const freeBytes = (folder: string): number => looks.push(folder)
  const sending = spooled(data, { ...piped(), from, freeBytes }, async () => 'sent')
  await expect(sending).rejects.toMatchObject({ code: 'DISK_FULL', message: expect.stringContaining('nothing was sent') })
  expect([looks.length, copies()]).toEqual([1, []])
})
