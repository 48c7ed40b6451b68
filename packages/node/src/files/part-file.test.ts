import { closeSync, fstatSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { SYNC_EVERY_BYTES } from './constants.ts'
import { PartFile } from './part-file.ts'

const CHUNK = 262_144
const top = mkdtempSync(join(tmpdir(), 'skein-part-'))
const path = join(top, 'part')
const syncs: Promise<void>[] = []
const open = (): PartFile => new PartFile(path, (sync) => syncs.push(sync))

afterEach(() => {
  syncs.length = 0
  rmSync(path, { force: true })
})

it('[FI15] zeros beyond the end take no room on the disk, and are there all the same', async () => {
  const file = open()
  const ones = new Uint8Array(CHUNK).fill(1)
  for (let index = 0; index < 64; index += 1) await file.write(index === 40 ? ones : new Uint8Array(CHUNK), index * CHUNK)
  file.leave()
  const bytes = readFileSync(path)
  expect(bytes.length).toBe(64 * CHUNK)
  expect(bytes.findIndex((byte) => byte !== 0)).toBe(40 * CHUNK)
  expect(bytes.subarray(40 * CHUNK, 41 * CHUNK).every((byte) => byte === 1)).toBe(true)
  // Windows leaves no holes unless it is asked to.
  if (process.platform !== 'win32') expect(statSync(path).blocks * 512).toBeLessThan(4 * CHUNK)
})

it('[FI15] zeros in place of what was there before are written', async () => {
  const first = open()
  await first.write(new Uint8Array(2 * CHUNK).fill(7), 0)
  first.leave()
  const again = open()
  await again.write(new Uint8Array(CHUNK), 0)
  await again.write(new Uint8Array(CHUNK), 2 * CHUNK)
  again.leave()
  const bytes = readFileSync(path)
  expect([bytes[0], bytes[CHUNK - 1], bytes[CHUNK], bytes.length]).toEqual([0, 0, 7, 3 * CHUNK])
})

it('[FI19] is put on the disk while more comes, and closed when that has ended', async () => {
  const file = open()
  const piece = new Uint8Array(CHUNK).fill(3)
  for (let at = 0; at < 2 * SYNC_EVERY_BYTES; at += CHUNK) await file.write(piece, at)
  file.leave()
  expect(syncs.length).toBeGreaterThan(0)
  await Promise.all(syncs)
  expect(statSync(path).size).toBe(2 * SYNC_EVERY_BYTES)
})

it('[FI12] what is left while its last pieces are being written is closed once, after them', async () => {
  const file = open()
  const piece = new Uint8Array(4 * CHUNK).fill(5)
  const writes: Promise<void>[] = []
  for (let at = 0; at < SYNC_EVERY_BYTES; at += piece.length) writes.push(file.write(piece, at))
  file.leave()
  await Promise.all(writes)
  await Promise.all(syncs)
  expect(statSync(path).size).toBe(SYNC_EVERY_BYTES)
  // Whoever opens a file next may get the same number: nobody closes it behind their back.
  const next = openSync(path, 'r')
  expect(fstatSync(next).size).toBe(SYNC_EVERY_BYTES)
  closeSync(next)
})
