import type { HistoryMessage } from '@skein/node/api'
import { oneLine, quoted } from './terminal-text.ts'

/** What a message says, for a terminal; what others wrote is made harmless. */
export function shownMessage(message: HistoryMessage): string {
  const reactions = [message.own_reaction, message.contact_reaction].flatMap((each) => (each === null ? [] : [oneLine(each)]))
  const marks = [...(message.edited_at === null ? [] : ['(edited)']), ...reactions]
  return [bodyOf(message), ...marks].join('  ')
}

function bodyOf({ kind, text, shared, deleted_at: deleted, disappear_after_ms: after }: HistoryMessage): string {
  if (deleted !== null) return '[taken back]'
  if (kind === 'contact') return `[contact ${quoted(text)}: skein add ${shared ?? ''}]`
  if (kind === 'timer') return after === null ? '[messages stay from now on]' : `[messages disappear ${after / 1_000} s after reading]`
  if (kind === 'file') return `[file ${quoted(text)}]`
  if (kind === 'unknown') return '[something that a newer version of Skein can show]'
  return kind === 'gone' ? '[disappeared]' : quoted(text)
}
