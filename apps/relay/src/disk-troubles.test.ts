import { SkeinError } from '@skein/core'
import { expect, it } from 'vitest'
import { DiskTroubles } from './disk-troubles.ts'

it('[RL24] trouble with the disk is counted by what it keeps from being done, and lasts a minute; other errors are none', () => {
  const counted: string[] = []
  const clock = { now: 0 }
  const disk = new DiskTroubles({ onTrouble: (service, reason) => void counted.push(`${service} ${reason}`), now: () => clock.now })
  for (const error of [new Error('too many requests'), new SkeinError('BAD_FRAME', 'x'), undefined]) disk.note('cards', error)
  expect([disk.isRecent, counted]).toEqual([false, []])
  const failing = (code: string) => () => {
    throw Object.assign(new Error('x'), { code })
  }
  for (const code of ['SQLITE_FULL', 'ENOSPC', 'EROFS', 'SQLITE_IOERR_WRITE']) expect(() => disk.watch('cards', failing(code))).toThrow('x')
  expect(disk.watch('cards', () => 5)).toBe(5)
  expect(counted).toEqual(['cards disk-full', 'cards disk-full', 'cards disk-read-only', 'cards disk-fails'])
  clock.now = 59_999
  expect(disk.isRecent).toBe(true)
  clock.now = 60_000
  expect(disk.isRecent).toBe(false)
})
