/** What a file system cannot keep, or does not let its user set, is not what a transfer is about. */
import { codeOf } from './explain.ts'

const UNKEPT: readonly string[] = ['EPERM', 'EACCES', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP', 'EINVAL']

/** @throws NodeJS.ErrnoException of a disk that fails */
export function whereItCan(work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!UNKEPT.includes(codeOf(error))) throw error
  }
}
