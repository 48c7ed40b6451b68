/** The count beside the database, in a file of the data directory, with which database file it was. */
import { readFileSync, statSync } from 'node:fs'
import { replaceFile } from './durable-file.ts'
import type { UseMark } from './use-count.ts'

/** @param path not named after the database, so that a copy of `skein.sqlite*` that is put back leaves it alone */
export function useMarkFile(path: string, database: string): UseMark {
  return {
    read: () => readCount(path),
    write: (count) => replaceFile(path, `${count}\n${fileOf(database)}\n`),
    isOfAnother: () => isOther(linesOf(path)[1], fileOf(database)),
    writtenAt: () => changedAt(path),
  }
}

/** A mark that is missing or damaged says nothing: 0. */
function readCount(path: string): number {
  const count = Number(linesOf(path)[0])
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** Number and birth of a file; birth 0 where the file system knows none. */
function fileOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? '' : `${found.ino} ${found.birthtimeNs}`
}

/** When its inode changed. Programs for backups on Windows change that when they read, to note what they have. */
function changedAt(path: string): number | undefined {
  return process.platform === 'win32' ? undefined : statSync(path, { throwIfNoEntry: false })?.ctimeMs
}

/** Both differ: file systems over a network may number the same file anew, and some keep no birth. */
function isOther(marked: string | undefined, now: string): boolean {
  const [[ino, birth], [inoNow, birthNow]] = [(marked ?? '').split(' '), now.split(' ')]
  const isKnown = [birth, birthNow].every((each) => each !== undefined && each !== '0')
  return isKnown && ino !== inoNow && birth !== birthNow
}
