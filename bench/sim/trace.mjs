// Reads a contact trace and its message workload: gzipped CSV with a header of `# key=json` lines.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { soundTrace } from './sound-trace.mjs'

/** Ticks of 0.1 s, the step of the traces. */
export const TICKS_PER_S = 10

/**
 * @param {string} folder with contacts.csv.gz and messages.csv.gz
 * @returns `{ meta, contacts: [{ tick, a, b, up, bps }], messages: [{ tick, id, from, to, bytes }] }` in the order of time, then of the files
 * @throws Error with one line for what is no trace
 */
export function readTrace(folder) {
  const contacts = table(join(folder, 'contacts.csv.gz'))
  const messages = table(join(folder, 'messages.csv.gz'))
  const read = {
    meta: { ...messages.meta, ...contacts.meta },
    contacts: contacts.rows.map(({ line, t, a, b, state, bps }) => ({
      line,
      tick: ticks(t),
      a: +a,
      b: +b,
      up: STATES[state],
      bps: optional(bps),
    })),
    messages: messages.rows.map(({ line, t, id, from, to, bytes }) => ({ line, tick: ticks(t), id, from: +from, to: +to, bytes: +bytes })),
  }
  return soundTrace(read, TICKS_PER_S)
}

const STATES = { up: true, down: false }
const ticks = (seconds) => Math.round(Number(seconds || Number.NaN) * TICKS_PER_S)
const optional = (value) => (value ? Number(value) : undefined)

function table(file) {
  const lines = textOf(file)
    .split(/\r?\n/)
    .map((text, at) => ({ text, line: at + 1 }))
    .filter(({ text }) => text !== '')
  const meta = Object.fromEntries(lines.filter(({ text }) => text.startsWith('#') && text.includes('=')).map(property))
  const [names = { text: '' }, ...rows] = lines.filter(({ text }) => !text.startsWith('#'))
  const columns = names.text.split(',')
  return {
    meta,
    rows: rows.map(({ text, line }) => ({ line, ...Object.fromEntries(text.split(',').map((value, at) => [columns[at], value])) })),
  }
}

function textOf(file) {
  try {
    return gunzipSync(readFileSync(file)).toString('utf8')
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error.message}`)
  }
}

/** What is no JSON stands for itself. */
function property({ text }) {
  const at = text.indexOf('=')
  return [text.slice(1, at).trim(), jsonOr(text.slice(at + 1).trim())]
}

function jsonOr(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
