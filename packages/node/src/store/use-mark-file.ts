/** The count beside the database, in a file of the data directory. */
import { readFileSync } from 'node:fs'
import { replaceFile } from './durable-file.ts'
import type { UseMark } from './use-count.ts'

/** @param path not named after the database, so that a copy of `skein.sqlite*` that is put back leaves it alone */
export function useMarkFile(path: string): UseMark {
  return { read: () => readCount(path), write: (count) => replaceFile(path, `${count}\n`) }
}

/** A mark that is missing or damaged says nothing: 0. */
function readCount(path: string): number {
  try {
    const count = Number(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(count) && count > 0 ? count : 0
  } catch {
    return 0
  }
}
