/** Small files that are there wholly or not at all, also after a loss of power. */
import { closeSync, constants, copyFileSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Only the user may read and write. */
const PRIVATE = 0o600

/** Puts `data` in the place of whatever is at `path`; for whoever is alone with it. @throws the platform's error */
export function replaceFile(path: string, data: Uint8Array | string): void {
  const aside = `${path}.part`
  writeWhole(aside, data)
  renameSync(aside, path)
  syncFolder(path)
}

/** Makes `path` with `data`; false when something is there already, which then stays. @throws the platform's error */
export function createFile(path: string, data: Uint8Array | string): boolean {
  const aside = `${path}.${process.pid}.part`
  writeWhole(aside, data)
  try {
    publish(aside, path)
    syncFolder(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/** A link, because it fails where a rename would overwrite. FAT and some network drives have none; there a copy fails as well. */
function publish(aside: string, path: string): void {
  try {
    linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw error
    copyFileSync(aside, path, constants.COPYFILE_EXCL)
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function writeWhole(path: string, data: Uint8Array | string): void {
  rmSync(path, { force: true })
  const file = openSync(path, 'wx', PRIVATE)
  try {
    const bytes = Buffer.from(data)
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A name is durable when its folder is. Windows cannot open folders, and writes names through by itself. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
