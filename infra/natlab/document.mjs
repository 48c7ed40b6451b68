// From tries to the document of the laboratory, and from that to a table for people.
import { isTrue } from './pair.mjs'

/** Nearest-rank percentiles, whole milliseconds; null without values. */
export function percentiles(values) {
  const sorted = values.filter((value) => value !== undefined).sort((left, right) => left - right)
  const at = (share) => Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)])
  return sorted.length === 0 ? null : { p50: at(0.5), p95: at(0.95) }
}

/** The value that occurs most often; of equals the first. */
function commonest(values) {
  const counts = new Map()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort((left, right) => right[1] - left[1])[0]?.[0] ?? null
}

/** One line of the document. @param {object[]} tries of measurePair */
export function summarise([a, b], tries) {
  const delivered = tries.filter((each) => each.delivered)
  const errors = tries.flatMap(({ error }) => error ?? [])
  return {
    a,
    b,
    tries: tries.length,
    delivered: delivered.length,
    direct: tries.filter(({ direct }) => direct).length,
    path: commonest(delivered.map(pathReached)) ?? 'none',
    transport: commonest(delivered.map(({ transport }) => transport)),
    first_message_ms: percentiles(tries.map(({ first }) => first)),
    direct_ms: percentiles(tries.map(({ directAfter }) => directAfter)),
    ...claimsAmong(delivered),
    ...(errors.length === 0 ? {} : { errors }),
  }
}

/** What the client says, unless the relay's counters know better. */
const pathReached = ({ direct, path }) => (direct ? path : 'relayed')

/** What the clients say beside what was counted: the commonest path of each side, why in the first try that stayed relayed, else in the first, and how often one of them was wrong. */
function claimsAmong(delivered) {
  const known = delivered.filter(({ claims }) => claims !== undefined)
  const explained = known.find(({ direct }) => !direct) ?? known[0]
  const ofBoth = (find) => ({ a: find('a'), b: find('b') })
  return {
    claimed: ofBoth((side) => commonest(known.map(({ claims }) => claims[side].path))),
    reasons: ofBoth((side) => explained?.claims[side].reasons ?? []),
    mistaken: known.filter(({ claims, direct }) => !isTrue(claims.a, direct) || !isTrue(claims.b, direct)).length,
  }
}

const range = (value) => (value === null ? '–' : `${value.p50} / ${value.p95}`)

/** A Markdown table. */
export function pairTable(pairs) {
  const rows = pairs.map(({ a, b, tries, delivered, direct, path, first_message_ms, direct_ms }) =>
    [`${a} × ${b}`, `${delivered}/${tries}`, `${direct}/${tries}`, path, range(first_message_ms), range(direct_ms)].join(' | '),
  )
  const head = ['pair | delivered | direct | path | first message, ms p50 / p95 | direct, ms p50 / p95', '---|---|---|---|---|---']
  return [...head, ...rows].map((row) => `| ${row} |`).join('\n')
}

/** All pairs of some kinds as a Markdown grid: tries that became direct, ms to the first message and to the direct connection (medians). */
export function gridTable(pairs) {
  const kinds = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))]
  const cell = (row, column) => {
    const found = pairs.find(({ a, b }) => a === row && b === column)
    return found === undefined ? '' : gridCell(found)
  }
  const rows = kinds.map((row) => [`**${row}**`, ...kinds.map((column) => cell(row, column))])
  return [['', ...kinds], kinds.concat('').map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function gridCell({ tries, delivered, direct, path, first_message_ms, direct_ms }) {
  const lost = delivered === tries ? [] : [`${tries - delivered} lost`]
  const way = direct === 0 && path === 'relayed' ? path : `${direct}/${tries}`
  const medians = [first_message_ms, direct_ms].flatMap((each) => each?.p50 ?? [])
  return [...lost, way, ...medians].join(' ')
}

/** Any list of flat objects as a Markdown table. */
export function plainTable(rows) {
  const names = Object.keys(rows[0] ?? {})
  const lines = [names, names.map(() => '---'), ...rows.map((row) => names.map((name) => String(row[name])))]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
