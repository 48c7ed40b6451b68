/** `/status`: what an operator asks of a relay, in words and figures. Names no peer and no address. */
import { renderSVG } from 'uqr'
import type { OperatorStatus } from './operator.ts'
import { isByItself, isNotable, type Refusal } from './refusals.ts'

/** No scripts; the page asks for itself again by a header of HTML. */
export const STATUS_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}td{padding:.2rem 0;border-bottom:1px solid #ddd}td+td{text-align:right;font-variant-numeric:tabular-nums}
svg{width:12rem;height:12rem;background:#fff;padding:.5rem}.bad{color:#a40000;font-weight:600}
@media(prefers-color-scheme:dark){body{color:#e6e8ea;background:#15181b}td{border-color:#333}.bad{color:#ff8a80}}`

/** Beyond this the processor is busier than chat likes, ms. */
const SLOW_LOOP_MS = 100
/** Share of a limit at which it is named. */
const NEARLY = 0.9

export interface StatusView {
  /** Under which the page was asked for: what people enter as their relay. */
  readonly url: string
  readonly status: OperatorStatus
  readonly waiting: readonly string[]
}

export function statusPage({ url, status, waiting }: StatusView): string {
  const state = waiting.length === 0 ? '<p>Ready.</p>' : `<p class="bad">Not ready: ${escapeHtml(waiting.join(', '))}.</p>`
  const reasons = whySlow(status).map((each) => `<li>${escapeHtml(each)}</li>`)
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="10"><title>Skein relay: status</title><style>${STYLE}</style>
<h1>Skein relay</h1>${state}
<p>To use this relay, enter <code>${escapeHtml(url)}</code> in Skein, or scan:</p>${renderSVG(url)}
<h2>Why it may be slow</h2><ul>${reasons.join('') || '<li>Nothing stands out.</li>'}</ul>
<h2>Figures</h2>${table(figures(status))}
<h2>Traffic</h2>${table(traffic(status))}</html>
`
}

/** Sentences that answer the question, most serious first. */
export function whySlow({
  budget,
  event_loop_p99_ms,
  limits,
  connections,
  http_connections,
  reservations,
  circuits,
  recent_refusals,
  slowed_by,
}: OperatorStatus): string[] {
  const near = (name: string, value: number, most: number): string[] =>
    value >= NEARLY * most ? [`${value} of ${most} ${name} are in use; raise the limit with «skein-relay limits».`] : []
  const refused = recent_refusals.filter(isNotable).toSorted((a, b) => b.count - a.count)
  return [
    ...(budget.state === 'stopped' ? ["The month's traffic is used up: nothing is relayed until the next month."] : []),
    ...(budget.state === 'slow' ? ["The month's traffic is nearly used up: files are slowed, chat is not."] : []),
    ...(event_loop_p99_ms > SLOW_LOOP_MS ? [`The processor is busy: work waits up to ${event_loop_p99_ms} ms.`] : []),
    ...near('connections', connections, limits.connections),
    ...near('httpConnections', http_connections, limits.httpConnections),
    ...near('reservations', reservations, limits.reservations),
    ...near('circuits', circuits, limits.circuits),
    ...slowed_by.map((name) => `The rate ${name} has made devices wait in the last minute; «skein-relay limits» shows it.`),
    ...refused.map(refusalLine),
  ]
}

function refusalLine({ service, reason, count }: Refusal): string {
  const what = isByItself({ service, reason }) ? 'A flood has come to nothing' : 'Refused'
  return `${what} in the last ten minutes: ${service}, ${reason} (${count}).`
}

type Rows = readonly (readonly [string, string | number])[]

function figures(status: OperatorStatus): Rows {
  const { uptime_s, mode, connections, reservations, circuits, members, rss_mb, event_loop_p99_ms } = status
  return [
    ['Running for', `${Math.floor(uptime_s / 3_600)} h ${Math.floor((uptime_s % 3_600) / 60)} min`],
    ['Admits', mode],
    ['Connections', connections],
    ['Devices that can be reached', reservations],
    ['Relayed connections', circuits],
    ['Members', members],
    ['Memory, MB', rss_mb],
    ['Work waits (99th percentile), ms', event_loop_p99_ms],
  ]
}

function traffic({ relayed_bytes, carried_bytes, kilobits_per_s, budget }: OperatorStatus): Rows {
  const limit = budget.limit_bytes === 0 ? 'no budget' : `of ${megabytes(budget.limit_bytes)}, ${budget.state}`
  return [
    ...Object.entries(relayed_bytes).map(([kind, bytes]) => [`Relayed, ${kind}`, megabytes(bytes)] as const),
    ...Object.entries(carried_bytes).map(([way, bytes]) => [`Carried, ${way}`, megabytes(bytes)] as const),
    ...Object.entries(kilobits_per_s).map(([window, kilobits]) => [`Average over ${window}`, `${kilobits} kbit/s`] as const),
    [`Since ${budget.month}`, `${megabytes(budget.used_bytes)} (${limit})`],
  ]
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

function table(rows: Rows): string {
  const cells = rows.map(([name, value]) => `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(String(value))}</td></tr>`)
  return `<table>${cells.join('')}</table>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`)
}
