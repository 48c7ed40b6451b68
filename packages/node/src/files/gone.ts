/** Files that are not where they were. Runs in the worker. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SkeinError } from '@skein/core'
import { changed, unreadable } from './explain.ts'

/** Of what is not there: removed, unless what it lay in is away too, as a disk may be. @param root what was named itself */
export function gone(path: string, { root, cause }: { readonly root: string; readonly cause: unknown }): SkeinError {
  return existsSync(dirname(root)) ? changed(path) : unreadable(path, cause)
}
