const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** In the largest unit that fits and the one below it: an hour and a half is neither one hour nor two. */
export function spellDuration(ms: number, language: string): string {
  const found = UNITS.findIndex(([, each]) => ms >= each)
  const at = found < 0 ? UNITS.length - 1 : found
  const [, least] = UNITS[at + 1] ?? UNITS[3]
  let left = Math.round(ms / least) * least
  const parts = UNITS.slice(at, at + 2).map(([unit, length]) => {
    const count = Math.floor(left / length)
    left -= count * length
    return { count, words: new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count) }
  })
  const said = parts.filter(({ count }) => count > 0)
  return (said.length === 0 ? parts.slice(-1) : said).map(({ words }) => words).join(' ')
}

/** Units in which a length of time is written. */
export const LENGTH_UNITS = { seconds: 1_000, minutes: 60_000, hours: 3_600_000, days: 86_400_000 } as const
export type LengthUnit = keyof typeof LENGTH_UNITS

/** What a client takes for a time after which something ends, ms. */
const LEAST_MS = 1_000
const MOST_MS = 365 * 86_400_000

/** Milliseconds; `undefined` for what is no number, or out of range. */
export function readLength(count: string, unit: LengthUnit): number | undefined {
  const ms = Math.round(Number(count.trim().replace(',', '.') || Number.NaN) * LENGTH_UNITS[unit])
  return ms >= LEAST_MS && ms <= MOST_MS ? ms : undefined
}
