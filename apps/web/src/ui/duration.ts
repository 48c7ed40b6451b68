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
