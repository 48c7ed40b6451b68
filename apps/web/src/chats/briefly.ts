import type { HistoryMessage } from '@skein/node/browser'
import type { Strings } from '../strings/en.ts'

/** One line for a message of any kind. */
export function briefly({ kind, text, deleted_at: deleted }: HistoryMessage, chats: Strings['chats']): string {
  if (deleted !== null) return chats.takenBack
  if (kind === 'timer') return chats.timer
  if (kind === 'unknown') return chats.newer
  return kind === 'contact' ? `${chats.sharedContact} ${text}` : text.slice(0, 200)
}
