// Reads a contact trace and its message workload: gzipped CSV with a header of `# key=json` lines.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'

/** Ticks of 0.1 s, the step of the traces. */
export const TICKS_PER_S = 10

/**
 * @param {string} folder with contacts.csv.gz and messages.csv.gz
 * @returns `{ meta, contacts: [{ tick, a, b, up, bps }], messages: [{ tick, id, from, to, bytes }] }` in the order of the files
 */
export function readTrace(folder) {
  const contacts = table(join(folder, 'contacts.csv.gz'))
  const messages = table(join(folder, 'messages.csv.gz'))
  return {
    meta: contacts.meta,
    contacts: contacts.rows.map(({ t, a, b, state, bps }) => ({ tick: ticks(t), a: +a, b: +b, up: state === 'up', bps: +bps })),
    messages: messages.rows.map(({ t, id, from, to, bytes }) => ({ tick: ticks(t), id, from: +from, to: +to, bytes: +bytes })),
  }
}

const ticks = (seconds) => Math.round(Number(seconds) * TICKS_PER_S)

function table(file) {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split(/\r?\n/).filter(Boolean)
  const meta = Object.fromEntries(lines.filter((line) => line.startsWith('#')).map(property))
  const [names = '', ...rows] = lines.filter((line) => !line.startsWith('#'))
  const columns = names.split(',')
  return { meta, rows: rows.map((row) => Object.fromEntries(row.split(',').map((value, at) => [columns[at], value]))) }
}

function property(line) {
  const at = line.indexOf('=')
  return [line.slice(1, at).trim(), JSON.parse(line.slice(at + 1))]
}
