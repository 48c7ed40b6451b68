/** What a transfer says of itself in a code, in the user's language. */
import type { FileStrings } from '../strings/files-en.ts'

/** The other side may have chosen the code: one that is not for transfers says nothing about this device or contact. */
export function reasonText({ problems, otherReason }: Pick<FileStrings, 'problems' | 'otherReason'>, reason: string): string {
  const known: Readonly<Record<string, string>> = problems
  return (Object.hasOwn(known, reason) ? known[reason] : undefined) ?? otherReason(reason)
}
