/** Transfers as they are printed. */
import type { TransferView } from '@skein/node/api'
import { oneLine } from './terminal-text.ts'
import { reasonOf } from './transfer-reasons.ts'

export const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const

/** In the largest unit of which there is one. */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3))
  return `${(bytes / 1_000 ** power).toFixed(power === 0 ? 0 : 1)} ${UNITS[power]}`
}

/** What is printed of a transfer with --json. */
export function line(transfer: TransferView): object {
  const { sha256, path, reason, ...rest } = transfer
  return {
    ...rest,
    ...(sha256 === null ? {} : { sha256 }),
    ...(path === null ? {} : { path }),
    ...(reason === null ? {} : { reason }),
  }
}

/** For people: below it, what it waits for or why it has ended, and where it was put. */
export function described(view: TransferView): string {
  return [summary(view), ...notes(view).map((note) => `    ${note}`)].join('\n')
}

/** What is said of it in sentences. */
export function notes(view: TransferView): readonly string[] {
  const { state, path, direction } = view
  const reason = reasonOf(view)
  return [
    ...(reason === undefined ? [] : [oneLine(reason)]),
    ...(state === 'done' && direction === 'in' && path !== null ? [oneLine(path)] : []),
  ]
}

/** Of what still comes through a pipe nobody knows how much it will be. */
function amounts({ direction, state, bytes, total, growing }: TransferView): readonly [string, string] {
  const isRead = state === 'offered' || (direction === 'out' && state !== 'running')
  if (growing) return [`${size(isRead ? total : bytes)} so far`, '']
  return [size(total), `  ${total === 0 ? 100 : Math.floor((100 * bytes) / total)} %`]
}

function summary(view: TransferView): string {
  const { transfer, direction, contact_name: contact, name, state, reason, rate } = view
  const [much, share] = amounts(view)
  const speed = state === 'running' ? `  ${size(rate)}/s` : ''
  return `${transfer}  ${direction === 'in' ? '←' : '→'} ${oneLine(contact)}  ${oneLine(name)}  ${much}  ${state}${reason === null ? '' : ` (${oneLine(reason)})`}${share}${speed}`
}
