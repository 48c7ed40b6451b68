import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleArchiveContract } from '@skein/core/contracts'
import { cureKeyOf } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { openArchive, openOrReplaceArchive } from './sqlite-archive.ts'

function folder(): { path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'skein-mesh-'))
  return { path: join(dir, 'mesh.sqlite'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

bundleArchiveContract('better-sqlite3', async () => {
  const place = folder()
  let archive = openArchive(place.path)
  return {
    archive,
    reopen: async () => {
      archive.close()
      archive = openArchive(place.path)
      return archive
    },
    end: async () => {
      archive.close()
      place[Symbol.dispose]()
    },
  }
})

it('[ME21] only one process has the file, and only its user', () => {
  using place = folder()
  const archive = openArchive(place.path)
  expect(() => openArchive(place.path)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
  if (process.platform !== 'win32') expect(statSync(place.path).mode & 0o777).toBe(0o600)
  archive.close()
})

it('[ME21] a file that is no database is named as such', () => {
  using place = folder()
  writeFileSync(place.path, 'not a database, but long enough to be taken for one'.repeat(100))
  expect(() => openArchive(place.path)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
})

it('[ME21] a damaged file is put aside, with its journal, and a new one is begun', async () => {
  const garbage = Buffer.alloc(8_192, 'no database at all')
  for (const damage of ['whole', 'a page'] as const) {
    using place = folder()
    const archive = openArchive(place.path)
    await archive.putCures(Array.from({ length: 2_000 }, (_, at) => ({ key: cureKeyOf(`${at}`), expiresAt: at })))
    archive.close()
    const bytes = readFileSync(place.path)
    if (damage === 'whole') writeFileSync(place.path, garbage)
    else writeFileSync(place.path, Buffer.concat([bytes.subarray(0, 24_576), garbage, bytes.subarray(24_576 + garbage.length)]))
    writeFileSync(`${place.path}-wal`, 'of the damaged one')
    const asides: string[] = []
    const anew = openOrReplaceArchive(place.path, (aside) => asides.push(aside))
    expect([await anew.bundles(), await anew.cures()]).toEqual([[], []])
    expect(asides).toEqual([`${place.path}.damaged`])
    expect(existsSync(`${place.path}.damaged`)).toBe(true)
    anew.close()
  }
})

it('[ME21] a file in use is not damaged', () => {
  using place = folder()
  const archive = openArchive(place.path)
  expect(() => openOrReplaceArchive(place.path, never)).toThrow(expect.objectContaining({ code: 'STORE_LOCKED' }))
  archive.close()
})

function never(): never {
  throw new Error('nothing is damaged')
}
