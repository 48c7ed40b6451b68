// What a trace has to be before it is replayed: what it leaves out is filled in, what it cannot mean is refused in one line.
import { MAX_BUNDLE_LIFE_MS } from '@skein/core'
import { soundContacts } from './sound-contacts.mjs'

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
  const { nodes, lastTick } = extent(contacts, messages)
  const ended = lastTick / ticksPerSecond
  const whole = { nodes, duration_s: ended, ttl_s: Math.ceil(ended) + 60, buffer_bytes: UNBOUNDED, ...meta }
  checkMeta(whole)
  if (whole.ttl_s > LONGEST_TTL_S) {
    say(`messages of this trace live for ${LONGEST_TTL_S} s, as long as any may, instead of ${whole.ttl_s} s`)
    whole.ttl_s = LONGEST_TTL_S
  }
  for (const contact of contacts) checkContact(contact, whole)
  checkMessages(messages, whole)
  const sound = { meta: whole, messages: ordered(messages), ...soundContacts(ordered(contacts), whole.radio_bps) }
  if (sound.linksUp > 0) say(`links of this trace that never go down, and stay up until it ends: ${sound.linksUp}`)
  // Over links that stay up messages may go as long as they live.
  const last = sound.messages.at(-1)
  if (meta.duration_s === undefined && sound.linksUp > 0 && last !== undefined)
    whole.duration_s = Math.max(ended, last.tick / ticksPerSecond + whole.ttl_s)
  return sound
}

/** How many nodes occur at least, and when the last thing happens. */
function extent(contacts, messages) {
  const seen = { nodes: 0, lastTick: 0 }
  // What is no number stays out: its line is told of later.
  const see = (tick, one, other) => {
    if (tick > seen.lastTick) seen.lastTick = tick
    if (one >= seen.nodes) seen.nodes = one + 1
    if (other >= seen.nodes) seen.nodes = other + 1
  }
  for (const { tick, a, b } of contacts) see(tick, a, b)
  for (const { tick, from, to } of messages) see(tick, from, to)
  return seen
}

function checkMeta(meta) {
  const { buffer_bytes_by_node: own = {} } = meta
  const isTable = typeof own === 'object' && own !== null && Object.values(own).every(isAmount)
  if (!isTable) throw new Error(`the trace says buffer_bytes_by_node=${JSON.stringify(own)}`)
  for (const name of ['nodes', 'duration_s', 'ttl_s', 'buffer_bytes'])
    if (!isAmount(meta[name])) throw new Error(`the trace says ${name}=${JSON.stringify(meta[name])}`)
}

function isAmount(value) {
  return typeof value === 'number' && value >= 0
}

function checkContact({ line, tick, a, b, up, bps }, { nodes, radio_bps: usual }) {
  const where = `contacts, line ${line}`
  if (!(tick >= 0)) throw new Error(`${where}: no time`)
  for (const node of [a, b]) checkNode(node, nodes, where)
  if (a === b) throw new Error(`${where}: node ${a} meets itself`)
  if (up === undefined) throw new Error(`${where}: state is neither up nor down`)
  if (up && !((bps ?? usual) > 0)) throw new Error(`${where}: no bytes per second, and the trace names no radio_bps`)
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
  return rows.sort((one, other) => one.tick - other.tick)
}
