// Reads a contact trace and its message workload: gzipped CSV with a header of `# key=json` lines.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { soundTrace } from './sound-trace.mjs'

/** Ticks of 0.1 s, the step of the traces. */
export const TICKS_PER_S = 10
const NEWLINE = 10

/**
 * @param {string} folder with contacts.csv.gz and messages.csv.gz
 * @returns `{ meta, contacts: [{ tick, a, b, up, bps }], messages: [{ tick, id, from, to, bytes }] }` in the order of time, then of the files
 * @throws Error with one line for what is no trace
 */
export function readTrace(folder) {
  const contacts = table(join(folder, 'contacts.csv.gz'), ({ line, t, a, b, state, bps }) => ({
    line,
    tick: ticks(t),
    a: +a,
    b: +b,
    up: STATES[state],
    bps: optional(bps),
  }))
  const messages = table(join(folder, 'messages.csv.gz'), ({ line, t, id, from, to, bytes }) => ({
    line,
    tick: ticks(t),
    id,
    from: +from,
    to: +to,
    bytes: +bytes,
  }))
  return soundTrace({ meta: { ...messages.meta, ...contacts.meta }, contacts: contacts.rows, messages: messages.rows }, TICKS_PER_S)
}

const STATES = { up: true, down: false }
const ticks = (seconds) => Math.round(Number(seconds || Number.NaN) * TICKS_PER_S)
const optional = (value) => (value ? Number(value) : undefined)

function table(file, row) {
  const read = { meta: {}, rows: [] }
  let columns
  let line = 0
  for (const text of linesOf(file)) {
    line += 1
    if (text === '') continue
    if (text.startsWith('#')) Object.assign(read.meta, property(text))
    else if (columns === undefined) columns = text.split(',')
    else read.rows.push(row({ line, ...Object.fromEntries(text.split(',').map((value, at) => [columns[at], value])) }))
  }
  return read
}

/** One after the other: unpacked, a long trace is longer than any string may be. */
function* linesOf(file) {
  const bytes = bytesOf(file)
  for (let start = 0; start < bytes.length; ) {
    const next = bytes.indexOf(NEWLINE, start)
    const end = next === -1 ? bytes.length : next
    yield bytes.toString('utf8', start, end).replace(/\r$/, '')
    start = end + 1
  }
}

function bytesOf(file) {
  try {
    return gunzipSync(readFileSync(file))
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error.message}`)
  }
}

/** What is no JSON stands for itself, and a line without `=` for nothing. */
function property(text) {
  const at = text.indexOf('=')
  return at === -1 ? {} : { [text.slice(1, at).trim()]: jsonOr(text.slice(at + 1).trim()) }
}

function jsonOr(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
