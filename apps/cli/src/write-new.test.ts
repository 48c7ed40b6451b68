import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeNew } from './write-new.ts'

const BYTES = new Uint8Array([1, 2, 3])
let folder = ''

beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'skein-write-'))))
afterEach(() => rmSync(folder, { recursive: true }))

describe('a new file', () => {
  it('[ME25] is written whole', () => {
    writeNew(join(folder, 'file'), BYTES)
    expect(new Uint8Array(readFileSync(join(folder, 'file')))).toEqual(BYTES)
  })

  it('[ME25] replaces none, and says why there is none', () => {
    const file = join(folder, 'file')
    writeFileSync(file, 'before')
    expect(() => writeNew(file, BYTES)).toThrow('it exists already')
    expect(readFileSync(file, 'utf8')).toBe('before')
    expect(() => writeNew(join(folder, 'none', 'file'), BYTES)).toThrow('there is no such folder')
  })

  it('[ME25] that finds no room is told as such, and leaves nothing that would look like one', () => {
    const file = join(folder, 'file')
    const write = (fd: number): void => {
      writeSync(fd, BYTES)
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    expect(() => writeNew(file, BYTES, write)).toThrow(
      expect.objectContaining({ code: 'DISK_FULL', message: expect.stringMatching('no room left') }),
    )
    expect(existsSync(file)).toBe(false)
  })
})
