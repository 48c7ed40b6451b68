/** Puts what is whole under a name that nobody has: nothing is overwritten (FI16). */
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import { numberedName } from '@skein/core/files'
import { MAX_NUMBER } from './constants.ts'
import { codeOf } from './explain.ts'
import { whereItCan } from './where-it-can.ts'

export interface Move {
  readonly from: string
  readonly folder: string
  readonly name: string
  /** Told of the name before it is taken, to be found after a crash. */
  onName(path: string): void
  /** What it was told before such a crash. */
  readonly told?: string | undefined
}

/** @returns the path; `name` or the next number that is free @throws NodeJS.ErrnoException, SkeinError FILE_UNREADABLE */
export function moveIntoPlace({ from, folder, name, onName, told }: Move): string {
  const isFolder = statSync(from).isDirectory()
  for (let count = 1; count <= MAX_NUMBER; count += 1) {
    const path = pathFor(folder, name, count)
    if (path === from) return path
    if (!isFolder && isSame(from, path)) return withoutOld(from, path)
    const isReserved = path === told && isEmpty(path, isFolder)
    if (existsSync(path) && !isReserved) continue
    onName(path)
    if (isReserved ? replace(from, path, isFolder) : isFolder ? moveFolder(from, path) : moveFile(from, path)) return path
  }
  throw new SkeinError('FILE_UNREADABLE', 'There are too many files of this name already.')
}

/** With a number, whose place is taken from the name where both are too long together: alone it was found to fit (FI49). */
function pathFor(folder: string, name: string, count: number): string {
  const numbered = numberedName(name, count)
  const at = count === 1 ? 0 : numbered.lastIndexOf(` (${count})`)
  const letters = [...numbered.slice(0, at)]
  const path = (): string => join(folder, letters.join('') + numbered.slice(at))
  while (letters.length > 1 && isTooLong(path())) letters.pop()
  return path()
}

function isTooLong(path: string): boolean {
  try {
    lstatSync(path, { throwIfNoEntry: false })
    return false
  } catch (error) {
    return codeOf(error) === 'ENAMETOOLONG'
  }
}

/** A link does not replace what is there, as a rename would. */
function moveFile(from: string, path: string): boolean {
  try {
    linkSync(from, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    // A file system without links: the name is taken first.
    return reserve(() => closeSync(openSync(path, 'wx'))) && replace(from, path, false)
  }
  withoutOld(from, path)
  return true
}

/** It has its name; that the other one cannot be removed now does not take it away. */
function withoutOld(from: string, path: string): string {
  try {
    unlinkSync(from)
  } catch {
    // Removed with what else is left of the transfer.
  }
  return path
}

/** The name was given, and the old one stayed. */
function isSame(from: string, path: string): boolean {
  const [one, other] = [from, path].map((each) => statSync(each, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && other !== undefined && one.ino !== 0n && one.dev === other.dev && one.ino === other.ino
}

function moveFolder(from: string, path: string): boolean {
  return reserve(() => mkdirSync(path)) && replace(from, path, true)
}

/** A name that was taken for it, before the program was ended. */
function isEmpty(path: string, isFolder: boolean): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (isFolder) return stats?.isDirectory() === true && readdirSync(path).length === 0
  return stats?.isFile() === true && stats.size === 0
}

function reserve(make: () => void): boolean {
  try {
    make()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** What was only taken does not stay where it cannot be filled. @throws NodeJS.ErrnoException */
function replace(from: string, path: string, isFolder: boolean): boolean {
  try {
    // Windows replaces no folder, not even an empty one.
    if (isFolder && process.platform === 'win32') rmdirSync(path)
    renameSync(from, path)
    return true
  } catch (error) {
    if (isEmpty(path, isFolder)) rmSync(path, { recursive: true, force: true })
    throw error
  }
}

/** Makes names in a folder durable, where that can be asked for. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  whereItCan(() => {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}
