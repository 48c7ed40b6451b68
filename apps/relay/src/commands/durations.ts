import { SkeinError } from '@skein/core'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a duration such as `30d` (CLI.md). @throws SkeinError USAGE */
export function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (UNITS[unit] ?? Number.NaN)
  if (Number.isNaN(ms)) throw new SkeinError('USAGE', `«${text}» is no duration like 30d, 12h or 90s.`)
  return ms
}

/** Numbers as numbers, everything else as text; sizes may end in kB, MB, GB or TB. */
export function parseValue(text: string): string | number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([kMGT]B)?$/.exec(text) ?? []
  if (number === undefined) return text
  const factor = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit ?? ''] ?? 1
  // 4.1 × 1e12 is no whole number of bytes in floating point.
  return unit === undefined ? Number(number) : Math.round(Number(number) * factor)
}
