/** Files that are not where they were. Runs in the worker. */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { SkeinError } from '@skein/core'
import { changed, unreadable } from './explain.ts'

/** What was named itself, and where disks were mounted then that it lay on. */
export interface Root {
  readonly root: string
  readonly mounts: readonly string[]
}

/** Of what is not there: removed, unless what it lay in is away too, as a disk may be. */
export function gone(path: string, { root, mounts, cause }: Root & { readonly cause: unknown }): SkeinError {
  return isAway({ root, mounts }) ? unreadable(path, cause) : changed(path)
}

/** A folder that stays where a disk was mounted is empty, and says nothing of what is on the disk. */
export function isAway({ root, mounts }: Root): boolean {
  return !existsSync(dirname(root)) || !areMounted(mounts)
}

/** @param mounts where disks were mounted once */
export function areMounted(mounts: readonly string[]): boolean {
  return mounts.every((mount) => existsSync(mount) && isMounted(mount))
}

/**
 * Where the disks are mounted that folders lie on; without the system's own. Known by their neighbours, for numbers of disks
 * change from one start of the system to the next. @param folders that are there
 */
export function mountsOf(folders: Iterable<string>): readonly string[] {
  const mounts = new Set<string>()
  for (const folder of folders) {
    let at = realpathSync(folder)
    while (at !== dirname(at) && !isMounted(at)) at = dirname(at)
    if (at !== dirname(at)) mounts.add(at)
  }
  return [...mounts]
}

const isMounted = (folder: string): boolean => statSync(folder).dev !== statSync(dirname(folder)).dev
