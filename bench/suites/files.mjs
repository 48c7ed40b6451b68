// Files between two clients against a bare copy by node:net and what people use today, side by side in one run on loopback,
// disk to disk; medians. A peer that is not here has `null`, and `peers` says so.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { netCopy } from './files/net-copy.mjs'
import { otherPaths } from './files/other-paths.mjs'
import { installPeers, startRsync, startScp, startWormhole, versions } from './files/peers.mjs'
import { befriend, cpuSeconds, median, peakMb, send, startClient, startRelay } from './files/processes.mjs'

const ROUNDS = 3
const BIG_BYTES = 256_000_000
const SMALL = { count: 2_000, bytes: 4_096 }
const BROWSER_WITHIN_MS = 900_000
const CHAT = { idle: 60, busy: 60 }

const dir = mkdtempSync(join(process.env.SKEIN_BENCH_DIR ?? tmpdir(), 'skein-bench-'))
const undo = []
const started = async (what) => {
  undo.push(what.end)
  return what
}
const round = (value, digits = 2) => (value === null || Number.isNaN(value) ? null : Number(value.toFixed(digits)))
const failures = {}

/** Seconds of a copy, or nothing when the program does not work here. */
async function tried(name, work) {
  try {
    return await work()
  } catch (error) {
    failures[name] = String(error.message ?? error).slice(0, 200)
    return null
  }
}

const ratio = (theirs, ours) => (theirs.some((each) => each === null) || theirs.length === 0 ? null : median(theirs) / median(ours))

async function peer(name, start) {
  const made = await tried(name, () => start(dir))
  if (made !== null) undo.push(made.end)
  return made
}

function makeFiles() {
  writeFileSync(join(dir, 'big'), randomBytes(BIG_BYTES))
  mkdirSync(join(dir, 'small'))
  for (let at = 0; at < SMALL.count; at += 1) writeFileSync(join(dir, 'small', `file ${at}`), randomBytes(SMALL.bytes))
  writeFileSync(join(dir, 'small-as-one'), randomBytes(SMALL.count * SMALL.bytes))
}

/** Milliseconds until each of some messages is delivered. */
async function chat(from, to, count) {
  const times = []
  for (let at = 0; at < count; at += 1) {
    const began = performance.now()
    await from.api.send({ contacts: [to.name], text: `${at}`, wait: 'delivered', timeout_ms: 60_000 })
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(count * 0.99)]
}

async function chatRatio(from, to) {
  const idle = await chat(from, to, CHAT.idle)
  let over = false
  const sending = (async () => {
    while (!over) await send(from, to, [join(dir, 'big')])
  })()
  const busy = await chat(from, to, CHAT.busy)
  over = true
  await sending
  return busy / idle
}

/** Bytes that went twice when the recipient's transfer is paused and goes on, ten times, as a share of the file. */
async function resumeOverhead(from, to) {
  const { transfers } = await from.api.sendFiles({ contacts: [to.name], paths: [join(dir, 'big')] })
  const [{ transfer }] = transfers
  const now = async () => (await to.api.transfers()).transfers.find((each) => each.transfer === transfer)
  for (let cut = 1; cut <= 10; cut += 1) {
    while (((await now())?.bytes ?? 0) < (cut * BIG_BYTES) / 12) await new Promise((resolve) => setTimeout(resolve, 20))
    await to.api.pause({ transfer })
    await to.api.resume({ transfer })
  }
  while ((await now())?.state !== 'done') await new Promise((resolve) => setTimeout(resolve, 50))
  return (await now()).moved / BIG_BYTES - 1
}

/** Pages are driven with what drives them in the tests, by a process of its own. */
async function browserFigures() {
  const script = fileURLToPath(new URL('../../e2e/bench/files.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: BROWSER_WITHIN_MS })
  return JSON.parse(stdout)
}

try {
  installPeers()
  makeFiles()
  const relay = await started(await startRelay(join(dir, 'relay')))
  const [ana, bo] = [
    await startClient(join(dir, 'ana'), { name: 'ana', relay: relay.url }),
    await startClient(join(dir, 'bo'), { name: 'bo', relay: relay.url }),
  ]
  undo.push(ana.end, bo.end)
  await befriend(ana, bo, { path: ['lan', 'direct'], folder: join(dir, 'in') })
  const [scp, rsync, wormhole] = [await peer('scp', startScp), await peer('rsync', startRsync), await peer('wormhole', startWormhole)]
  const seconds = { ours: [], net: [], scp: [], rsync: [], wormhole: [], small: [], one: [], smallWormhole: [] }
  const cpu = { send: [], receive: [] }
  for (let at = 0; at < ROUNDS; at += 1) {
    const to = (name) => join(dir, `${name}-${at}`)
    seconds.net.push(await netCopy(join(dir, 'big'), to('net')))
    const before = [cpuSeconds(ana.pid), cpuSeconds(bo.pid)]
    seconds.ours.push((await send(ana, bo, [join(dir, 'big')])).seconds)
    const gib = BIG_BYTES / 2 ** 30
    cpu.send.push((cpuSeconds(ana.pid) - before[0]) / gib)
    cpu.receive.push((cpuSeconds(bo.pid) - before[1]) / gib)
    if (scp !== null) seconds.scp.push(await tried('scp', () => scp.copy(join(dir, 'big'), to('scp'))))
    if (rsync !== null) seconds.rsync.push(await tried('rsync', () => rsync.copy(join(dir, 'big'))))
    if (wormhole !== null) seconds.wormhole.push(await tried('wormhole', () => wormhole.copy(join(dir, 'big'), to('wormhole'))))
    seconds.small.push((await send(ana, bo, [join(dir, 'small')])).seconds)
    seconds.one.push((await send(ana, bo, [join(dir, 'small-as-one')])).seconds)
    if (wormhole !== null)
      seconds.smallWormhole.push(await tried('wormhole', () => wormhole.copy(join(dir, 'small'), to('wormhole-small'))))
    for (const name of ['net', 'scp', 'wormhole', 'wormhole-small']) rmSync(to(name), { recursive: true, force: true })
    rmSync(join(dir, 'in'), { recursive: true, force: true })
  }
  const rss = { send: peakMb(ana.pid), receive: peakMb(bo.pid) }
  const chatP99 = await chatRatio(ana, bo)
  const overhead = await resumeOverhead(ana, bo)
  const pages = await tried('browser', browserFigures)
  const others = await tried('paths', () => otherPaths(dir))
  const document = {
    lan_mb_per_s: round(BIG_BYTES / 1e6 / median(seconds.ours), 1),
    vs_net_copy_sha256: round(ratio(seconds.net, seconds.ours)),
    vs_scp: round(ratio(seconds.scp, seconds.ours)),
    vs_wormhole: round(ratio(seconds.wormhole, seconds.ours)),
    vs_rsync: round(ratio(seconds.rsync, seconds.ours)),
    small_files_vs_wormhole: round(ratio(seconds.smallWormhole, seconds.small)),
    small_files_ratio: round(median(seconds.small) / median(seconds.one)),
    browser_mb_per_s: pages?.browser_mb_per_s ?? null,
    vs_raw_datachannel: pages?.vs_raw_datachannel ?? null,
    relayed_mb_per_s: round(others?.relayed ?? null, 1),
    webrtc_node_mb_per_s: round(others?.webrtc ?? null, 1),
    cpu_s_per_gib: { send: round(median(cpu.send)), receive: round(median(cpu.receive)) },
    rss_mb: { send: Math.round(rss.send), receive: Math.round(rss.receive) },
    chat_p99_ratio: round(chatP99),
    resume_overhead: round(overhead, 4),
    net_mb_per_s: round(BIG_BYTES / 1e6 / median(seconds.net), 1),
    small_files_s: round(median(seconds.small), 3),
    peers: versions(),
    failures,
  }
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(document)}\n` : `${JSON.stringify(document, null, 2)}\n`)
} finally {
  for (const end of undo.reverse()) await Promise.resolve(end()).catch(() => undefined)
  rmSync(dir, { recursive: true, force: true })
}
