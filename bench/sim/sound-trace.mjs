// What a trace has to be before it is replayed: what it leaves out is filled in, what it cannot mean is refused in one line.
import { MAX_BUNDLE_LIFE_MS } from '@skein/core'

/** No bundle lives longer (ME2). */
const LONGEST_TTL_S = MAX_BUNDLE_LIFE_MS / 1_000
/** Where a trace names none: no message ends before the trace does, and there is room for all. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER

/**
 * @param {{ meta: object, contacts: object[], messages: object[] }} read rows with the number of their line
 * @param {number} ticksPerSecond
 * @param {(text: string) => void} [say] is told what is not as the trace has it
 * @throws Error with one line
 */
export function soundTrace({ meta, contacts, messages }, ticksPerSecond, say = (text) => process.stderr.write(`${text}\n`)) {
  const ends = [...contacts, ...messages].map(({ tick }) => tick)
  const most = [...contacts.flatMap(({ a, b }) => [a, b]), ...messages.flatMap(({ from, to }) => [from, to])].reduce(
    (x, y) => Math.max(x, y),
    -1,
  )
  const duration = ends.reduce((x, y) => Math.max(x, y), 0) / ticksPerSecond
  const whole = { nodes: most + 1, duration_s: duration, ttl_s: Math.ceil(duration) + 60, buffer_bytes: UNBOUNDED, ...meta }
  for (const name of ['nodes', 'duration_s', 'ttl_s', 'buffer_bytes'])
    if (!(whole[name] >= 0) || typeof whole[name] !== 'number') throw new Error(`the trace says ${name}=${JSON.stringify(whole[name])}`)
  if (whole.ttl_s > LONGEST_TTL_S) {
    say(`messages of this trace live for ${LONGEST_TTL_S} s, as long as any may, instead of ${whole.ttl_s} s`)
    whole.ttl_s = LONGEST_TTL_S
  }
  for (const contact of contacts) checkContact(contact, whole)
  checkMessages(messages, whole)
  return {
    meta: whole,
    contacts: ordered(contacts).map(({ a, b, bps, ...rest }) => ({
      ...rest,
      a: Math.min(a, b),
      b: Math.max(a, b),
      bps: bps ?? whole.radio_bps,
    })),
    messages: ordered(messages),
  }
}

function checkContact({ line, tick, a, b, up, bps }, { nodes, radio_bps: usual }) {
  const where = `contacts, line ${line}`
  if (!(tick >= 0)) throw new Error(`${where}: no time`)
  for (const node of [a, b]) checkNode(node, nodes, where)
  if (a === b) throw new Error(`${where}: node ${a} meets itself`)
  if (up === undefined) throw new Error(`${where}: state is neither up nor down`)
  if (!((bps ?? usual) > 0)) throw new Error(`${where}: no bytes per second, and the trace names no radio_bps`)
}

function checkMessages(messages, { nodes }) {
  const ids = new Set()
  for (const { line, tick, id, from, to, bytes } of messages) {
    const where = `messages, line ${line}`
    if (!(tick >= 0)) throw new Error(`${where}: no time`)
    for (const node of [from, to]) checkNode(node, nodes, where)
    if (!(bytes > 0)) throw new Error(`${where}: no bytes`)
    if (!id || ids.has(id)) throw new Error(`${where}: ${id ? `a second message ${id}` : 'no id'}`)
    ids.add(id)
  }
}

function checkNode(node, nodes, where) {
  if (!Number.isInteger(node) || node < 0 || node >= nodes)
    throw new Error(`${where}: node ${node}, and there are ${nodes}, counted from 0`)
}

/** Rows of one time stay in their order. */
function ordered(rows) {
  return rows.toSorted((one, other) => one.tick - other.tick)
}
