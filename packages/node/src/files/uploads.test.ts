import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
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

it('[FI33] parts become the files that were named, and leave when nobody is to get them any more', async () => {
  const uploads = new Uploads(top)
  const upload = uploads.begin(named(['dir', 'a.txt'], ['dir', 'deep', 'b.txt'], ['image.png'], ['image.png']))
  for (const [file, words] of [
    [0, 'he'],
    [1, 'b'],
    [0, 'llo'],
    [3, 'second'],
  ] as const)
    uploads.write(upload, file, text(words))
  const paths = uploads.pathsOf(upload) ?? []
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
  const [one, other] = [uploads.begin(named(['a.txt'])), uploads.begin(named(['b.txt']))]
  writeFileSync(join(spoolFolder(top), 'bare'), 'x')
  const files = new NodeFiles({ stateFolder: top, defaultFolder: top })
  for (const path of [...(uploads.pathsOf(one) ?? []), join(spoolFolder(top), 'bare')])
    await files.forgetSource((await files.describe([path])).place)
  await files.stop()
  expect(readdirSync(spoolFolder(top))).toEqual([other])
})

it('[FI33] names may come in several parts, with folders that are empty, and files keep their times', async () => {
  const uploads = new Uploads(top)
  const upload = uploads.begin([{ path: ['dir', 'a'], modified: 1_577_880_000_000 }])
  const more = uploads.begin([{ path: ['dir', 'none', 'empty'] }, { path: ['dir', 'b'], modified: 1_577_880_001_000 }], upload)
  expect(more).toBe(upload)
  uploads.write(upload, 2, text('b'))
  const [dir = '', ...others] = uploads.pathsOf(upload) ?? []
  expect([others, uploads.pathsOf(dir)]).toEqual([[], undefined])
  expect(readFileSync(join(dir, 'b'), 'utf8')).toBe('b')
  expect([statSync(join(dir, 'a')).mtimeMs, statSync(join(dir, 'b')).mtimeMs]).toEqual([1_577_880_000_000, 1_577_880_001_000])
  expect(readdirSync(join(dir, 'none/empty'))).toEqual([])
  expect(() => uploads.write(upload, 1, text('x'))).toThrow(expect.objectContaining({ code: 'USAGE' }))
  expect(() => uploads.begin(named(['x']), 'unknown')).toThrow(expect.objectContaining({ code: 'USAGE' }))
  const many = Array.from({ length: 200_000 }, () => ({ path: ['x'] }))
  expect(() => uploads.begin(many, upload)).toThrow(expect.objectContaining({ code: 'TOO_MANY_FILES' }))
})

it('[FI33] names that lead elsewhere lead nowhere, and an upload that has not begun takes nothing', () => {
  const uploads = new Uploads(join(top, 'state'))
  const upload = uploads.begin(named(['..', '..', '..', 'evil'], ['/etc/x'], ['..\\..\\y']))
  for (const file of [0, 1, 2]) uploads.write(upload, file, text('x'))
  expect(readdirSync(top)).toEqual(['state'])
  expect(existsSync(join(top, 'evil'))).toBe(false)
  expect(() => uploads.write('unknown', 0, text('x'))).toThrow(expect.objectContaining({ code: 'USAGE' }))
  expect(() => uploads.write(upload, 3, text('x'))).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

it('[FI33] an upload that leaves too little room on the disk is refused, and nothing of it stays', () => {
  let free = RESERVE_BYTES + 2 * BLOCK_BYTES
  const uploads = new Uploads(top, () => free)
  expect(() => uploads.begin(named(['a'], ['b'], ['c']))).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
  expect(readdirSync(spoolFolder(top))).toEqual([])
  const upload = uploads.begin(named(['a']))
  uploads.write(upload, 0, text('a'))
  free = RESERVE_BYTES - 1
  expect(() => uploads.write(upload, 0, new Uint8Array(SYNC_EVERY_BYTES))).toThrow(expect.objectContaining({ code: 'DISK_FULL' }))
  expect(readdirSync(spoolFolder(top))).toEqual([])
  expect(() => uploads.write(upload, 0, text('b'))).toThrow(expect.objectContaining({ code: 'USAGE' }))
})
