// Files between two clients against a bare copy by node:net and what people use today, side by side in one run on loopback,
// disk to disk; medians. `--only lan,small` runs some of the parts: lan (ours and the bare copy), peers (the others), small,
// chat, resume, browser, paths. What was not run, or failed, has `null`; what failed is named in `failures`, and ends with 1.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { netCopy } from './files/net-copy.mjs'
import { otherPaths } from './files/other-paths.mjs'
import { CROC, installPeers, startCroc, startRsync, startScp, startWormhole, versions } from './files/peers.mjs'
import { befriend, cpuSeconds, median, peakMb, send, setPeakBack, startClient, startRelay, until } from './files/processes.mjs'

const PARTS = ['lan', 'peers', 'small', 'chat', 'resume', 'browser', 'paths']
/** Of these each needs two clients on loopback. */
const WITH_CLIENTS = ['lan', 'peers', 'small', 'chat', 'resume']
const ROUNDS = 3
const BIG_BYTES = 256_000_000
const SMALL = { count: 2_000, bytes: 4_096 }
const BROWSER_WITHIN_MS = 900_000
/** Messages: before anything is measured, then of each round. */
const CHAT = { warm: 300, each: 300 }

const parts = partsAsked()
const dir = mkdtempSync(join(process.env.SKEIN_BENCH_DIR ?? tmpdir(), 'skein-bench-'))
const undo = []
const round = (value, digits = 2) => (value === null || Number.isNaN(value) ? null : Number(value.toFixed(digits)))
const failures = {}

function partsAsked() {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'boolean' } }, allowPositionals: true })
  const asked = values.only?.split(',') ?? PARTS
  const unknown = asked.filter((each) => !PARTS.includes(each))
  if (unknown.length === 0) return new Set(asked)
  process.stderr.write(`bench files: no part «${unknown.join(', ')}»; there are: ${PARTS.join(', ')}\n`)
  process.exit(2)
}

/** What a part comes to, or nothing when it does not work here: the others go on. */
async function tried(name, work) {
  try {
    return await work()
  } catch (error) {
    failures[name] = String(error.message ?? error).slice(0, 400)
    return null
  }
}

const isWhole = (times) => times.length > 0 && times.every((each) => each !== null)
const ratio = (theirs, ours) => (isWhole(theirs) && isWhole(ours) ? median(theirs) / median(ours) : null)

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

async function besideFiles(from, to) {
  let over = false
  const sending = (async () => {
    while (!over) await send(from, to, [join(dir, 'big')])
  })()
  sending.catch(() => undefined)
  try {
    return await chat(from, to, CHAT.each)
  } finally {
    over = true
    await sending
  }
}

async function chatRatio(from, to) {
  await chat(from, to, CHAT.warm)
  const ratios = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const idle = await chat(from, to, CHAT.each)
    const busy = await besideFiles(from, to)
    process.stderr.write(`chat p99: idle ${Math.round(idle)} ms, beside files ${Math.round(busy)} ms\n`)
    ratios.push(busy / idle)
  }
  return median(ratios)
}

/** Bytes that were sent twice when the recipient's transfer is paused and goes on, ten times, as a share of the file. */
async function resumeOverhead(from, to) {
  const { transfers } = await from.api.sendFiles({ contacts: [to.name], paths: [join(dir, 'big')] })
  const [{ transfer }] = transfers
  const at = async ({ api }) => (await api.transfers()).transfers.find((each) => each.transfer === transfer)
  for (let cut = 1; cut <= 10; cut += 1) {
    await until(`cut ${cut} of 10`, async () => ((await at(to))?.bytes ?? 0) >= (cut * BIG_BYTES) / 12)
    await to.api.pause({ transfer })
    await to.api.resume({ transfer })
  }
  for (const each of [to, from]) await until('the end of a transfer that was paused', async () => (await at(each))?.state === 'done')
  // The recipient counts what it has written alone: what was under way at a pause is thrown away there.
  return (await at(from)).moved / BIG_BYTES - 1
}

/** Pages are driven with what drives them in the tests, by a process of its own. */
async function browserFigures() {
  const script = fileURLToPath(new URL('../../e2e/bench/files.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: BROWSER_WITHIN_MS })
  return JSON.parse(stdout)
}

/** Two contacts on loopback, and a relay. */
async function startPair() {
  const relay = await startRelay(join(dir, 'relay'))
  undo.push(relay.end)
  const both = []
  for (const name of ['ana', 'bo']) {
    both.push(await startClient(join(dir, name), { name, relay: relay.url }))
    undo.push(both.at(-1).end)
  }
  await befriend(...both, { path: ['lan', 'direct'], folder: join(dir, 'in') })
  return both
}

const seconds = { ours: [], net: [], scp: [], rsync: [], wormhole: [], croc: [], small: [], one: [], smallWormhole: [] }
const cpu = { send: [], receive: [] }
const big = () => join(dir, 'big')

async function ourRound([ana, bo]) {
  const before = [cpuSeconds(ana.pid), cpuSeconds(bo.pid)]
  seconds.ours.push((await send(ana, bo, [big()])).seconds)
  const gib = BIG_BYTES / 2 ** 30
  cpu.send.push((cpuSeconds(ana.pid) - before[0]) / gib)
  cpu.receive.push((cpuSeconds(bo.pid) - before[1]) / gib)
}

/** One after the other, so that each round has all of them at about the same load. */
async function rounds(both, peers) {
  for (let at = 0; at < ROUNDS; at += 1) {
    const to = (name) => join(dir, `${name}-${at}`)
    const copy = async (name, from, target) => (peers[name] === null ? null : tried(name, () => peers[name].copy(from, target)))
    if (parts.has('lan')) seconds.net.push(await tried('net', () => netCopy(big(), to('net'))))
    if (parts.has('lan') || parts.has('peers')) await ourRound(both)
    if (parts.has('peers')) for (const name of ['scp', 'rsync', 'wormhole', 'croc']) seconds[name].push(await copy(name, big(), to(name)))
    if (parts.has('small')) {
      seconds.small.push((await send(...both, [join(dir, 'small')])).seconds)
      seconds.one.push((await send(...both, [join(dir, 'small-as-one')])).seconds)
      seconds.smallWormhole.push(await copy('wormhole', join(dir, 'small'), to('wormhole-small')))
    }
    for (const name of ['net', 'scp', 'wormhole', 'wormhole-small', 'croc', 'in'])
      rmSync(name === 'in' ? join(dir, name) : to(name), { recursive: true, force: true })
  }
}

async function startPeers() {
  const wanted = parts.has('peers') || parts.has('small')
  if (wanted) installPeers()
  const start = async (name, begin, isWanted) => (isWanted ? await peer(name, begin) : null)
  return {
    scp: await start('scp', startScp, parts.has('peers')),
    rsync: await start('rsync', startRsync, parts.has('peers')),
    wormhole: await start('wormhole', startWormhole, wanted),
    croc: await start('croc', startCroc, parts.has('peers') && CROC !== undefined),
  }
}

const measured = { chatP99: null, overhead: null, rss: null, way: null }

async function onLoopback() {
  makeFiles()
  const both = await startPair()
  const [ana, bo] = both
  const peers = await startPeers()
  for (const { pid } of both) setPeakBack(pid)
  await rounds(both, peers)
  const { path, transport } = await ana.api.why({ contact: bo.name })
  measured.way = `${path} ${transport}`
  if (seconds.ours.length > 0) measured.rss = { send: Math.round(peakMb(ana.pid)), receive: Math.round(peakMb(bo.pid)) }
  if (parts.has('chat')) measured.chatP99 = await tried('chat', () => chatRatio(ana, bo))
  if (parts.has('resume')) measured.overhead = await tried('resume', () => resumeOverhead(ana, bo))
}

const speedOf = (bytes, times) => (isWhole(times) ? round(bytes / 1e6 / median(times), 1) : null)
const middle = (times, digits) => (isWhole(times) ? round(median(times), digits) : null)

try {
  if (WITH_CLIENTS.some((each) => parts.has(each))) await tried('loopback', onLoopback)
  const pages = parts.has('browser') ? await tried('browser', browserFigures) : null
  const others = parts.has('paths') ? await tried('paths', () => otherPaths(dir)) : null
  const document = {
    lan_mb_per_s: speedOf(BIG_BYTES, seconds.ours),
    vs_net_copy_sha256: round(ratio(seconds.net, seconds.ours)),
    vs_scp: round(ratio(seconds.scp, seconds.ours)),
    vs_wormhole: round(ratio(seconds.wormhole, seconds.ours)),
    // Where it is installed.
    vs_croc: round(ratio(seconds.croc, seconds.ours)),
    vs_rsync: round(ratio(seconds.rsync, seconds.ours)),
    small_files_vs_wormhole: round(ratio(seconds.smallWormhole, seconds.small)),
    small_files_ratio: round(ratio(seconds.small, seconds.one)),
    browser_mb_per_s: pages?.browser_mb_per_s ?? null,
    vs_raw_datachannel: pages?.vs_raw_datachannel ?? null,
    relayed_mb_per_s: round(others?.relayed ?? null, 1),
    webrtc_node_mb_per_s: round(others?.webrtc ?? null, 1),
    cpu_s_per_gib: { send: middle(cpu.send), receive: middle(cpu.receive) },
    rss_mb: measured.rss,
    chat_p99_ratio: round(measured.chatP99),
    resume_overhead: round(measured.overhead, 4),
    net_mb_per_s: speedOf(BIG_BYTES, seconds.net),
    small_files_s: middle(seconds.small, 3),
    way: measured.way,
    peers: versions(),
    failures,
  }
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(document)}\n` : `${JSON.stringify(document, null, 2)}\n`)
  if (Object.keys(failures).length > 0) process.exitCode = 1
} finally {
  for (const end of undo.reverse()) await Promise.resolve(end()).catch(() => undefined)
  rmSync(dir, { recursive: true, force: true })
}
