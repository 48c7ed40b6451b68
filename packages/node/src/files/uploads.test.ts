import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SkeinError } from '@skein/core'
import { BLOCK_BYTES, RESERVE_BYTES, SYNC_EVERY_BYTES } from './constants.ts'
import { NodeFiles, spoolFolder } from './node-files.ts'
import { type UploadName, Uploads } from './uploads.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'skein-uploads-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const named = (...names: readonly (readonly string[])[]): UploadName[] => names.map((path) => ({ path, modified: 1_000 }))
const text = (words: string): Uint8Array => new TextEncoder().encode(words)

/** What an offer would be made of. */
const handed = (uploads: Uploads, ...paths: readonly string[]): Promise<readonly string[]> => uploads.hand(paths, async (named) => named)
const refused = (code: string) => expect.objectContaining({ code })

it('[FI33] parts become the files that were named, and leave when nobody is to get them any more', async () => {
  const uploads = new Uploads(top)
  const upload = await uploads.begin(named(['dir', 'a.txt'], ['dir', 'deep', 'b.txt'], ['image.png'], ['image.png']))
  // Nobody need wait for what was handed over before.
  await Promise.all(
    (
      [
        [0, 'he'],
        [1, 'b'],
        [0, 'llo'],
        [3, 'second'],
      ] as const
    ).map(([file, words]) => uploads.write(upload, file, text(words))),
  )
  const paths = await handed(uploads, upload)
  expect(paths.map((path) => path.slice(join(spoolFolder(top), upload).length + 1))).toEqual(['dir', 'image.png', 'image (2).png'])
  const [dir = '', , second = ''] = paths
  expect(readFileSync(join(dir, 'a.txt'), 'utf8')).toBe('hello')
  expect(readFileSync(join(dir, 'deep/b.txt'), 'utf8')).toBe('b')
  expect(readFileSync(second, 'utf8')).toBe('second')
  const files = new NodeFiles({ stateFolder: top, defaultFolder: top })
  const { place, folder } = await files.describe(paths)
  expect(folder?.entries).toBe(6)
  await files.forgetSource(place)
  await files.stop()
  expect(readdirSync(spoolFolder(top))).toEqual([])
})

it('[FI33] a copy goes alone: others, and one that is a file, do not go with it', async () => {
  const uploads = new Uploads(top)
  const [one, other] = [await uploads.begin(named(['a.txt'])), await uploads.begin(named(['b.txt']))]
  writeFileSync(join(spoolFolder(top), 'bare'), 'x')
  const files = new NodeFiles({ stateFolder: top, defaultFolder: top })
  for (const path of [...(await handed(uploads, one)), join(spoolFolder(top), 'bare')])
    await files.forgetSource((await files.describe([path])).place)
  await files.stop()
  expect(readdirSync(spoolFolder(top))).toEqual([other])
})

it('[FI33] names may come in several parts, with folders that are empty, and files keep their times', async () => {
  const uploads = new Uploads(top)
  const upload = await uploads.begin([{ path: ['dir', 'a'], modified: 1_577_880_000_000 }])
  const more = await uploads.begin([{ path: ['dir', 'none', 'empty'] }, { path: ['dir', 'b'], modified: 1_577_880_001_000 }], upload)
  expect(more).toBe(upload)
  await uploads.write(upload, 0, text('a'))
  await uploads.write(upload, 2, text('b'))
  await expect(uploads.write(upload, 1, text('x'))).rejects.toEqual(refused('USAGE'))
  const [dir = '', ...others] = await handed(uploads, upload)
  expect(others).toEqual([])
  expect(readFileSync(join(dir, 'b'), 'utf8')).toBe('b')
  expect([statSync(join(dir, 'a')).mtimeMs, statSync(join(dir, 'b')).mtimeMs]).toEqual([1_577_880_000_000, 1_577_880_001_000])
  expect(readdirSync(join(dir, 'none/empty'))).toEqual([])
})

it('[FI33] too many names, or more for an upload that has not begun, are refused', async () => {
  const uploads = new Uploads(top)
  await expect(uploads.begin(named(['x']), 'unknown')).rejects.toEqual(refused('USAGE'))
  const upload = await uploads.begin(named(['x']))
  const many = Array.from({ length: 200_000 }, () => ({ path: ['x'] }))
  await expect(uploads.begin(many, upload)).rejects.toEqual(refused('TOO_MANY_FILES'))
  expect(readdirSync(spoolFolder(top))).toEqual([])
})

it('[FI33] names that lead elsewhere lead nowhere, and an upload that has not begun takes nothing', async () => {
  const uploads = new Uploads(join(top, 'state'))
  const upload = await uploads.begin(named(['..', '..', '..', 'evil'], ['/etc/x'], ['..\\..\\y']))
  for (const file of [0, 1, 2]) await uploads.write(upload, file, text('x'))
  await uploads.end('..')
  expect(readdirSync(top)).toEqual(['state'])
  expect(existsSync(join(top, 'evil'))).toBe(false)
  await expect(uploads.write('unknown', 0, text('x'))).rejects.toEqual(refused('USAGE'))
  await expect(uploads.write(upload, 3, text('x'))).rejects.toEqual(refused('USAGE'))
})

it('[FI33] an upload that leaves too little room on the disk is refused, and nothing of it stays', async () => {
  let free = RESERVE_BYTES + 2 * BLOCK_BYTES
  const uploads = new Uploads(top, () => free)
  await expect(uploads.begin(named(['a'], ['b'], ['c']))).rejects.toEqual(refused('DISK_FULL'))
  expect(readdirSync(spoolFolder(top))).toEqual([])
  const upload = await uploads.begin(named(['a']))
  await uploads.write(upload, 0, text('a'))
  free = RESERVE_BYTES - 1
  await expect(uploads.write(upload, 0, new Uint8Array(SYNC_EVERY_BYTES))).rejects.toEqual(refused('DISK_FULL'))
  expect(readdirSync(spoolFolder(top))).toEqual([])
  await expect(uploads.write(upload, 0, text('b'))).rejects.toEqual(refused('USAGE'))
})

it('[FI33] what is offered is an upload no longer; the copy of an offer that is refused goes, and of one that may have been taken stays', async () => {
  const uploads = new Uploads(top)
  const [taken, lost, unknown, given] = await Promise.all(['a', 'b', 'c', 'd'].map((name) => uploads.begin(named([name]))))
  const offers = [
    [taken, undefined],
    [lost, new SkeinError('KEYS_CHANGED', 'refused')],
    [unknown, new Error('ended in mid-offer')],
  ] as const
  for (const [upload = '', error] of offers) {
    const offering = uploads.hand([upload], async () => (error === undefined ? undefined : Promise.reject(error)))
    await expect(
      offering.then(
        () => undefined,
        (thrown: unknown) => thrown,
      ),
    ).resolves.toBe(error)
    await expect(uploads.write(upload, 0, text('x'))).rejects.toEqual(refused('USAGE'))
    await uploads.end(upload)
  }
  await uploads.end(given ?? '')
  expect(readdirSync(spoolFolder(top)).sort()).toEqual([taken, unknown].sort())
})
