import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { moveIntoPlace, syncFolder } from './final-name.ts'
import { whereItCan } from './where-it-can.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'skein-final-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

const move = (name: string, told?: string): string =>
  moveIntoPlace({ from: join(top, 'part'), folder: join(top, 'in'), name, told, onName: () => undefined })

it('[FI16] a name that was taken just before a kill is filled, and one that somebody else has is not', () => {
  mkdirSync(join(top, 'in'))
  for (const name of ['ours', 'theirs']) writeFileSync(join(top, 'in', name), name === 'ours' ? '' : 'theirs')
  for (const name of ['ours', 'theirs']) {
    writeFileSync(join(top, 'part'), 'whole')
    move(name, join(top, 'in', name))
  }
  mkdirSync(join(top, 'in/folder'))
  mkdirSync(join(top, 'part/deep'), { recursive: true })
  move('folder', join(top, 'in/folder'))
  expect(readdirSync(join(top, 'in')).sort()).toEqual(['folder', 'ours', 'theirs', 'theirs (2)'])
  expect([readFileSync(join(top, 'in/ours'), 'utf8'), readdirSync(join(top, 'in/folder'))]).toEqual(['whole', ['deep']])
})

it.each(['.bin', ''])('[FI16] [FI49] a name that just fits, and is taken, gets shorter for its number (%s)', (extension) => {
  mkdirSync(join(top, 'in'))
  // 255 bytes, as many as a name may have.
  const name = `${'a'.repeat(255 - 100 - extension.length)}${'é'.repeat(50)}${extension}`
  for (const content of ['first', 'second', 'third']) {
    writeFileSync(join(top, 'part'), content)
    move(name)
  }
  const shorter = name.slice(0, name.length - extension.length - 2)
  const names = [name, `${shorter} (2)${extension}`, `${shorter} (3)${extension}`]
  expect(names.map((each) => readFileSync(join(top, 'in', each), 'utf8'))).toEqual(['first', 'second', 'third'])
})

it('[FI16] a name that was taken and cannot be filled is given back', () => {
  mkdirSync(join(top, 'part/in'), { recursive: true })
  // No folder can be moved into itself.
  const moving = (): string => moveIntoPlace({ from: join(top, 'part'), folder: join(top, 'part/in'), name: 'a', onName: () => undefined })
  expect(moving).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  expect(existsSync(join(top, 'part/in/a'))).toBe(false)
})

it('[FI14] what a file system does not keep holds nothing up, and a disk that fails does', () => {
  const failing = (code: string) => (): void => {
    throw Object.assign(new Error(code), { code })
  }
  for (const code of ['EPERM', 'ENOSYS', 'EOPNOTSUPP', 'EINVAL']) whereItCan(failing(code))
  for (const code of ['EIO', 'ENOSPC', 'EROFS']) expect(() => whereItCan(failing(code))).toThrow(code)
  // Folders there cannot be made durable.
  if (existsSync('/proc/self')) syncFolder('/proc/self')
})
