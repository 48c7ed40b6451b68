import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeFolderList, type FolderEntry, type SinkWish } from '@skein/core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ChunkBuffers } from './chunk-buffers.ts'
import { BLOCK_BYTES, RESERVE_BYTES, SYNC_EVERY_BYTES } from './constants.ts'
import { unwritable } from './explain.ts'
import { FileByteSink } from './file-byte-sink.ts'
import { FileByteSource } from './file-byte-source.ts'
import { describe } from './describe.ts'
import { listedNames } from './listed-names.ts'
import { Marks } from './marks.ts'

const buffers = new ChunkBuffers()
let top = ''

beforeEach(() => void (top = mkdtempSync(join(tmpdir(), 'skein-sink-'))))
afterEach(() => rmSync(top, { recursive: true, force: true }))

const manifestOf = (size: number): SinkWish['manifest'] => ({
  ...{ name: 'a', size, mediaType: '', modifiedAt: 0, chunkSize: 262_144, key: new Uint8Array(32) },
  ...{ root: undefined, folder: undefined },
})

const ENTRY: Omit<FolderEntry, 'path'> = { kind: 'file', size: 1, modifiedAt: 0, executable: false }

function folderOf(names: readonly string[]): SinkWish {
  const entries = names.map((name) => ({ ...ENTRY, path: [name] }))
  return { id: 'ab'.repeat(16), manifest: manifestOf(names.length), list: encodeFolderList(entries), folder: join(top, 'in') }
}

const open = (wish: SinkWish, freeBytes?: () => number): FileByteSink =>
  new FileByteSink(wish, { stateFolder: join(top, 'state'), buffers, ...(freeBytes === undefined ? {} : { freeBytes }) })

it('[FI19] who was killed between two names of one transfer goes on, even where the last mark was cut off', async () => {
  const wish = folderOf(['a', 'b'])
  const first = open(wish)
  await first.write(0, Uint8Array.of(1, 2))
  await first.close()
  // As it is after a kill: one is in its place, and of the next mark there is half a line.
  const mark = join(top, 'state', `${wish.id}.final`)
  new Marks(mark).add('a', join(top, 'in', 'a'))
  writeFileSync(join(top, 'in', 'a'), Uint8Array.of(1))
  rmSync(join(top, 'in', `.skein-${wish.id}.part`, 'a'))
  appendFileSync(mark, '\n["b", "/so')
  const again = open(wish)
  expect(await again.read(0, 2)).toEqual(Buffer.of(1, 2))
  await again.commit()
  await again.close()
  expect(readdirSync(join(top, 'in')).sort()).toEqual(['a', 'b'])
  expect(readFileSync(join(top, 'in', 'b'))).toEqual(Buffer.of(2))
})

it.runIf(process.platform === 'linux')(
  '[FI61] a folder goes on nowhere else when the disk that it lies on goes away between two tries',
  async () => {
    const wish: SinkWish = folderOf(['a', 'b'])
    const deep: SinkWish = { ...wish, list: encodeFolderList(['a', 'b'].map((name) => ({ ...ENTRY, path: [name, 'file'] }))) }
    mkdirSync(join(top, 'state'))
    // A link to a disk of its own is known as one by its neighbours, as where that is mounted.
    const mount = join(top, 'mount')
    symlinkSync('/proc', mount)
    writeFileSync(join(top, 'state', `${wish.id}.place`), JSON.stringify({ folder: wish.folder, mounts: [mount] }))
    const sink = open(deep)
    await sink.write(0, Uint8Array.of(1))
    rmSync(mount)
    mkdirSync(mount)
    await expect(sink.write(1, Uint8Array.of(2))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await sink.close()
    expect(readdirSync(join(top, 'in', `.skein-${wish.id}.part`))).toEqual(['a'])
  },
)

it('[FI19] marks that cannot be read count as none', async () => {
  const wish = folderOf(['a'])
  const sink = open(wish)
  await sink.write(0, Uint8Array.of(7))
  writeFileSync(join(top, 'state', `${wish.id}.final`), '')
  await sink.commit()
  await sink.close()
  expect(readFileSync(join(top, 'in', 'a'))).toEqual(Buffer.of(7))
})

it('[FI19] what was removed meanwhile is not made anew, and empty', async () => {
  const wish = folderOf(['a', 'b'])
  const sink = open(wish)
  await sink.write(0, Uint8Array.of(1, 2))
  rmSync(join(top, 'in', `.skein-${wish.id}.part`, 'a'))
  await expect(sink.commit()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await sink.close()
  expect(existsSync(join(top, 'in', 'a'))).toBe(false)
})

it('[FI15] zeros that come while others are still written to the same file of a folder cut nothing off', async () => {
  const [size, large] = [3 * 262_144, 4_194_304]
  const sizes = { a: size, b: 8 * large }
  const files = Object.entries(sizes).map(
    ([name, each]): FolderEntry => ({ path: [name], kind: 'file', size: each, modifiedAt: 0, executable: false }),
  )
  const wish = { ...folderOf([]), manifest: manifestOf(size + 8 * large), list: encodeFolderList(files) }
  const sink = open(wish)
  // The system's threads have enough to do for what is written to the other file to wait.
  const pieces = Array.from({ length: 8 }, () => new Uint8Array(large).fill(8))
  const seven = new Uint8Array(262_144).fill(7)
  const busy = pieces.map((bytes, at) => sink.write(size + at * large, bytes))
  const last = sink.write(2 * 262_144, seven)
  const other = sink.write(size, Uint8Array.of(8))
  const first = sink.write(0, Uint8Array.of(6))
  await Promise.all([...busy, last, other, first])
  await sink.write(262_144, new Uint8Array(262_144))
  expect(Buffer.from(await sink.read(2 * 262_144, 262_144)).equals(Buffer.alloc(262_144, 7))).toBe(true)
  await sink.close()
})

it('[FI19] a part that somebody has made shorter is not put under its name', async () => {
  const wish = folderOf(['a', 'b'])
  const sink = open(wish)
  await sink.write(0, Uint8Array.of(1, 2))
  truncateSync(join(top, 'in', `.skein-${wish.id}.part`, 'a'))
  await expect(sink.commit()).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await sink.close()
  expect(readdirSync(join(top, 'in'))).toEqual([`.skein-${wish.id}.part`])
})

it('[FI16] who was killed when the new name was given and the old one not yet removed, has it under one name', async () => {
  const wish = { id: 'ef'.repeat(16), manifest: manifestOf(2), list: undefined, folder: join(top, 'in') }
  const sink = open(wish)
  await sink.write(0, Uint8Array.of(1, 2))
  linkSync(join(top, 'in', `.skein-${wish.id}.part`), join(top, 'in', 'a'))
  expect(await sink.commit()).toBe(join(top, 'in', 'a'))
  await sink.close()
  expect(readdirSync(join(top, 'in'))).toEqual(['a'])
})

it.skipIf(process.platform === 'win32')('[FI14] a pipe that is named itself cannot be sent, and is left out of a folder', async () => {
  execFileSync('mkfifo', [join(top, 'pipe')])
  for (const paths of [[join(top, 'pipe')], [join(top, 'pipe'), top], ['/dev/null']])
    expect(() => describe(paths, join(top, 'state'))).toThrow(expect.objectContaining({ code: 'FILE_UNREADABLE' }))
  expect(describe([top], join(top, 'state')).folder?.entries).toBe(1)
})

it('[FI24] a disk that others fill meanwhile is noticed before it is full', async () => {
  let free = 10 * SYNC_EVERY_BYTES
  const size = 4 * SYNC_EVERY_BYTES
  const sink = open({ id: 'cd'.repeat(16), manifest: manifestOf(size), list: undefined, folder: join(top, 'in') }, () => free)
  await sink.recorded()
  const piece = (): Uint8Array => new Uint8Array(SYNC_EVERY_BYTES / 2)
  for (let at = 0; at < 2; at += 1) await sink.write(at * piece().length, piece())
  free = RESERVE_BYTES - 1
  await sink.write(size / 2, piece())
  await expect(sink.write(size / 2, piece())).rejects.toMatchObject({ code: 'DISK_FULL' })
  free = RESERVE_BYTES
  await sink.write(size / 2, piece())
  await sink.close()
})

it('[FI17] names that cannot stand in a list get others there, which nothing else has', () => {
  expect([...listedNames(['b\\c', 'b_c', 'b_c (2)', 'a'])]).toEqual([
    ['a', 'a'],
    ['b_c', 'b_c'],
    ['b_c (2)', 'b_c (2)'],
    ['b_c (3)', 'b\\c'],
  ])
})

it.skipIf(process.platform === 'win32')('[FI17] a folder with backslashes in its names is sent', async () => {
  mkdirSync(join(top, 'own', 'x\\y'), { recursive: true })
  writeFileSync(join(top, 'own', 'x\\y', 'p\\q'), 'hello')
  const { place, ...found } = describe([join(top, 'own')], join(top, 'state'))
  const manifest = { ...manifestOf(0), ...found }
  const source = new FileByteSource(JSON.parse(place), manifest, { stateFolder: join(top, 'state'), buffers })
  expect(Buffer.from(await source.read('content', 0, 5)).toString()).toBe('hello')
  await source.check()
  await source.close()
})

it('[FI17] bytes that are no UTF-8 are written as numbers, whatever else has such a name', () => {
  const [one, other, half] = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0xfe]), Buffer.from([0xc3, 0xa9, 0xe2, 0x82])]
  expect([...listedNames(['a%FF', one, other, half, 'a\ufffd'])]).toEqual([
    ['a%FF', 'a%FF'],
    ['a\ufffd', 'a\ufffd'],
    ['a%FE', other],
    ['a%FF (2)', one],
    ['é%E2%82', half],
  ])
})

// Elsewhere every name is text.
it.runIf(process.platform === 'linux')('[FI17] a folder with names that are no UTF-8 is sent, all of it', async () => {
  const own = Buffer.from(join(top, 'own/'))
  const folder = Buffer.concat([own, Buffer.from([0x63, 0xe9])])
  mkdirSync(folder, { recursive: true })
  writeFileSync(Buffer.concat([folder, Buffer.from([0x2f, 0xff])]), 'first')
  writeFileSync(Buffer.concat([folder, Buffer.from([0x2f, 0xfe])]), 'other')
  writeFileSync(join(top, 'own', 'ü'), 'plain')
  const { place, ...found } = describe([join(top, 'own')], join(top, 'state'))
  expect(found).toMatchObject({ size: 15, folder: { entries: 5 } })
  const source = new FileByteSource(JSON.parse(place), { ...manifestOf(0), ...found }, { stateFolder: join(top, 'state'), buffers })
  expect(Buffer.from(await source.read('content', 0, 15)).toString()).toBe('plainotherfirst')
  await source.check()
  await source.close()
})

const tooLong = (name: string, depth: number): SinkWish => {
  const entries: FolderEntry[] = [
    { path: ['a'], kind: 'file', size: 1, modifiedAt: 0, executable: false },
    { path: Array<string>(depth).fill(name), kind: 'file', size: 0, modifiedAt: 0, executable: false },
  ]
  return { id: 'ab'.repeat(16), manifest: manifestOf(1), list: encodeFolderList(entries), folder: join(top, 'in') }
}

it.skipIf(process.platform === 'win32')('[FI49] what is too long for where it goes to is found before anything is fetched', () => {
  expect(() => open(tooLong('n'.repeat(200), 24))).toThrow(expect.objectContaining({ code: 'NAME_TOO_LONG' }))
  expect(() => open(tooLong('n'.repeat(200), 3))).not.toThrow()
})

it('[FI49] a name that is too long for this disk alone has a code of its own', () => {
  const cause = Object.assign(new Error('too long'), { code: 'ENAMETOOLONG' })
  expect(unwritable('/in', cause)).toMatchObject({ code: 'NAME_TOO_LONG' })
})

it('what files take beside their bytes is counted, and looked at while empty ones are made', async () => {
  const entries = Array.from(
    { length: 2_000 },
    (_, at): FolderEntry => ({ path: [`${at}`], kind: 'file', size: 0, modifiedAt: 0, executable: false }),
  )
  const wish = { id: 'ab'.repeat(16), manifest: manifestOf(0), list: encodeFolderList(entries), folder: join(top, 'in') }
  const scarce = open(wish, () => RESERVE_BYTES + 2_000 * BLOCK_BYTES - 1)
  await expect(scarce.recorded()).rejects.toMatchObject({ code: 'DISK_FULL' })
  await scarce.close()
  let free = RESERVE_BYTES + 2_000 * BLOCK_BYTES
  const sink = open(wish, () => free)
  await sink.recorded()
  free = RESERVE_BYTES - 1
  await expect(sink.commit()).rejects.toMatchObject({ code: 'DISK_FULL' })
  await sink.close()
})
