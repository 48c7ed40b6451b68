// Messages on their way: directly, by mailbox, to somebody who was away; the relay's and the store's part of it alone. Two
// clients and one relay on loopback; figures are medians.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { insertRatio } from './delivery-insert.mjs'
import { searchTimes } from './delivery-search.mjs'
import { peer } from './peer-process.mjs'

const RELAY = fileURLToPath(new URL('../../apps/relay/bundle/main.js', import.meta.url))
const ROUND_TRIPS = 300
const BY_MAIL = 40
const CATCH_UP = 1_000
const PENDING = 10_000
const IDLE_MS = 20_000
const SIZE = 200

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const round = (value, digits = 2) => Number(value.toFixed(digits))
const say = (what) => process.stderr.write(`bench delivery: ${what}\n`)

function startRelay(dir) {
  const ports = ['http', 'tcp', 'ws', 'webrtc', 'stun', 'stun2', 'reflector'].flatMap((name) => [`--${name}`, '0'])
  const child = spawn(process.execPath, [RELAY, 'run', '--json', '--data-dir', dir, '--host', '127.0.0.1', '--quic', 'off', ...ports], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the relay did not start')))
    child.stdout.once('data', (line) => resolve({ url: JSON.parse(line).url, end: () => child.kill('SIGTERM') }))
  })
}

async function until(what, condition) {
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    if (await condition()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`not within a minute: ${what}`)
}

async function befriend(ana, bo) {
  await ana.call('joined')
  const { invite } = await ana.call('invite')
  await bo.call('add', { invite })
  await until('contacts', async () => (await Promise.all([ana.call('accepted'), bo.call('accepted')])).every(({ accepted }) => accepted))
}

/** Delivered and told so, against an echo on a raw stream between the same two machines. */
async function direct(dir, relay) {
  const [ana, bo] = [peer(), peer()]
  try {
    await ana.call('startClient', { dataDir: join(dir, 'direct-ana'), relay, name: 'ana' })
    await bo.call('startClient', { dataDir: join(dir, 'direct-bo'), relay, name: 'bo' })
    await befriend(ana, bo)
    const { addresses } = await bo.call('startRaw')
    await ana.call('startRaw')
    await ana.call('roundTrips', { count: 50, size: SIZE })
    await ana.call('rawRoundTrips', { addresses, count: 50, size: SIZE })
    const [ours, raw] = [[], []]
    for (let turn = 0; turn < 3; turn += 1) {
      raw.push(...(await ana.call('rawRoundTrips', { addresses, count: ROUND_TRIPS / 3, size: SIZE })).times)
      ours.push(...(await ana.call('roundTrips', { count: ROUND_TRIPS / 3, size: SIZE })).times)
    }
    return { direct_p50_ms: round(median(ours), 3), direct_p50_ratio: round(median(ours) / median(raw)) }
  } finally {
    ana.end()
    bo.end()
  }
}

/** From sending to being there, with no way but the mailbox. */
async function byMailbox(ana, bo) {
  const times = []
  for (let number = 0; number < BY_MAIL; number += 1) {
    const arrival = bo.call('nextMessage')
    const { at } = await ana.call('send', { size: SIZE })
    times.push((await arrival).at - at)
  }
  // The first one finds out that nobody is there.
  return round(median(times.slice(5)))
}

async function mail(dir, relay) {
  const [ana, bo] = [peer('delivery-peer.mjs'), peer('delivery-peer.mjs')]
  const [anas, bos] = [
    { dataDir: join(dir, 'ana'), relay, name: 'ana' },
    { dataDir: join(dir, 'bo'), relay, name: 'bo' },
  ]
  try {
    await ana.call('startClient', anas)
    await bo.call('startClient', bos)
    await befriend(ana, bo)
    await Promise.all([ana.call('hasTokens'), bo.call('hasTokens')])
    await Promise.all([ana.call('blockDirect'), bo.call('blockDirect')])
    say('by mailbox')
    const mailbox_p50_ms = await byMailbox(ana, bo)
    say('rates')
    const { deposits, fetches } = await ana.call('mailboxRates', { relay, tokens: 96 })
    say('catching up')
    await bo.call('stop')
    await ana.call('sendMany', { count: CATCH_UP, size: SIZE, letter: 'c' })
    await ana.call('allCarried')
    await ana.call('stop')
    const { seconds } = await bo.call('catchUp', { ...bos, count: CATCH_UP, letter: 'c' })
    await bo.call('stop')
    return { mailbox_p50_ms, deposits_per_s: Math.round(deposits), fetches_per_s: Math.round(fetches), catch_up_1000_s: round(seconds) }
  } finally {
    ana.end()
    bo.end()
  }
}

/** Ten thousand messages for somebody who is away and has no mailbox. */
async function pending(dir, relay) {
  const [ana, bo] = [peer('delivery-peer.mjs'), peer('delivery-peer.mjs')]
  try {
    await ana.call('startClient', { dataDir: join(dir, 'pending-ana'), relay, name: 'ana', mail: false })
    await bo.call('startClient', { dataDir: join(dir, 'pending-bo'), relay, name: 'bo', mail: false })
    await befriend(ana, bo)
    await bo.call('stop')
    say('ten thousand')
    await ana.call('sendMany', { count: PENDING, size: SIZE })
    const { states } = await ana.call('outboxStates')
    if (states.queued !== PENDING) throw new Error(`${PENDING} messages are not all pending: ${JSON.stringify(states)}`)
    await ana.call('idle', { ms: IDLE_MS / 2 })
    const { percent } = await ana.call('idle', { ms: IDLE_MS })
    return { outbox_10000_pending_cpu_percent: round(percent) }
  } finally {
    ana.end()
    bo.end()
  }
}

async function search(dir) {
  say('a search')
  const { median, most } = await searchTimes(dir)
  return { search_100k_ms: round(median), search_100k_most_ms: round(most) }
}

const dir = mkdtempSync(join(tmpdir(), 'skein-bench-delivery-'))
const relay = await startRelay(join(dir, 'relay'))
try {
  const document = {
    ...(await direct(dir, relay.url)),
    ...(await mail(dir, relay.url)),
    store_insert_ratio: round(await insertRatio(dir)),
    ...(await search(dir)),
    ...(await pending(dir, relay.url)),
  }
  process.stdout.write(`${JSON.stringify(document, undefined, process.argv.includes('--json') ? undefined : 2)}\n`)
} finally {
  relay.end()
  rmSync(dir, { recursive: true, force: true })
}
