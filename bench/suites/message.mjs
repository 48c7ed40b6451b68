// A delivered message against a raw libp2p stream echo, between the same two processes in the same run. Two clients and
// one relay on loopback; figures are medians of several rounds, ours and raw taken in turns.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { atRest, startTimes } from './daemon.mjs'
import { peer } from './peer-process.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const RELAY = join(HERE, '../../apps/relay/bundle/main.js')
const ROUNDS = 5
const ROUND_TRIPS = 200
const PIPELINED = 3_000
const SIZE = 200
const IDLE_MS = 20_000

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

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

async function befriend(ana, bo) {
  await ana.call('joined')
  const { invite } = await ana.call('invite')
  await bo.call('add', { invite })
  for (let tries = 0; tries < 500; tries += 1) {
    const both = await Promise.all([ana.call('accepted'), bo.call('accepted')])
    if (both.every(({ accepted }) => accepted)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the two did not become contacts')
}

async function measure(ana, bo) {
  const { addresses } = await bo.call('startRaw')
  await ana.call('startRaw')
  const figures = { ours: [], raw: [], oursPipelined: [], rawPipelined: [] }
  await ana.call('roundTrips', { count: 50, size: SIZE })
  await ana.call('rawRoundTrips', { addresses, count: 50, size: SIZE })
  for (let round = 0; round < ROUNDS; round += 1) {
    figures.raw.push(median((await ana.call('rawRoundTrips', { addresses, count: ROUND_TRIPS, size: SIZE })).times))
    figures.ours.push(median((await ana.call('roundTrips', { count: ROUND_TRIPS, size: SIZE })).times))
    figures.rawPipelined.push((await ana.call('rawPipelined', { addresses, count: PIPELINED, size: SIZE })).perSecond)
    figures.oursPipelined.push((await ana.call('pipelined', { count: PIPELINED, size: SIZE })).perSecond)
  }
  return figures
}

const round = (value, digits = 2) => Number(value.toFixed(digits))
const dir = mkdtempSync(join(tmpdir(), 'skein-bench-'))
const relay = await startRelay(join(dir, 'relay'))
const [ana, bo] = [peer(), peer()]
try {
  const ready = await startTimes(dir, relay.url, ROUNDS)
  const idle = await atRest(dir, relay.url, IDLE_MS)
  await ana.call('startClient', { dataDir: join(dir, 'ana'), relay: relay.url, name: 'ana' })
  await bo.call('startClient', { dataDir: join(dir, 'bo'), relay: relay.url, name: 'bo' })
  await befriend(ana, bo)
  const figures = await measure(ana, bo)
  const { paths } = await ana.call('path')
  const document = {
    rtt_p50_ratio: round(median(figures.ours) / median(figures.raw)),
    pipelined_per_s: Math.round(median(figures.oursPipelined)),
    pipelined_ratio: round(median(figures.oursPipelined) / median(figures.rawPipelined), 4),
    ready_ms: Math.round(median(ready)),
    rss_mb: Math.round(idle.rssMb),
    idle_cpu_percent: round(idle.cpuPercent),
    rtt_p50_ms: round(median(figures.ours), 3),
    raw_rtt_p50_ms: round(median(figures.raw), 3),
    paths: paths.map(({ path, transport }) => `${path}/${transport}`),
  }
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(document)}\n` : `${JSON.stringify(document, null, 2)}\n`)
  await Promise.all([ana.call('stop'), bo.call('stop')])
} finally {
  ana.end()
  bo.end()
  relay.end()
  rmSync(dir, { recursive: true, force: true })
}
