import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleArchiveContract } from '@skein/core/contracts'
import { expect, it } from 'vitest'
import { openArchive } from './sqlite-archive.ts'

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
