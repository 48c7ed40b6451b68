/** Transfers as they are printed. */
import type { TransferView } from '@skein/node/api'
import { oneLine } from './terminal-text.ts'

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

/** For people. */
export function described({ transfer, direction, contact_name: contact, name, state, reason, bytes, total, rate }: TransferView): string {
  const share = total === 0 ? 100 : Math.floor((100 * bytes) / total)
  const speed = state === 'running' ? `  ${size(rate)}/s` : ''
  return `${transfer}  ${direction === 'in' ? '←' : '→'} ${oneLine(contact)}  ${oneLine(name)}  ${size(total)}  ${state}${reason === null ? '' : ` (${reason})`}  ${share} %${speed}`
}
