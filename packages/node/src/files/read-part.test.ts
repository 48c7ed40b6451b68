import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readPart } from './read-part.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'skein-parts-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

it('[UI33] what was received is read in parts, to its end', async () => {
  const path = join(top, 'a.png')
  const bytes = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251)
  writeFileSync(path, bytes)
  const parts: Uint8Array[] = []
  for (let offset = 0, part = await readPart({ path, total: bytes.length, offset }); part.length > 0; ) {
    parts.push(part)
    offset += part.length
    part = await readPart({ path, total: bytes.length, offset })
  }
  expect(parts.length).toBeGreaterThan(1)
  expect(Buffer.concat(parts).equals(bytes)).toBe(true)
})

it('[UI33] what lies there in its place, or is gone, is not read', async () => {
  const path = join(top, 'a.png')
  const gone = expect.objectContaining({ code: 'FILE_UNREADABLE' })
  await expect(readPart({ path, total: 3, offset: 0 })).rejects.toEqual(gone)
  writeFileSync(path, 'more')
  await expect(readPart({ path, total: 3, offset: 0 })).rejects.toEqual(gone)
  await expect(readPart({ path: top, total: 4_096, offset: 0 })).rejects.toEqual(gone)
})
