// Processes of the relay suite: each does what it is told over IPC, and what it costs is read from /proc.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = (file) => fileURLToPath(new URL(file, import.meta.url))
const RELAY = here('../../../apps/relay/bundle/main.js')
/** Linux counts processor time in hundredths of a second (getconf CLK_TCK). */
const TICKS = 100
const PAGE = 4_096
const MIB = 1_048_576

export class Processes {
  #running = []
  #dirs = []

  /** A process that answers `ask(verb, args)`. */
  peer(file = 'peer.mjs') {
    const child = fork(here(file), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    this.#running.push(child)
    let next = 0
    const waiting = new Map()
    child.on('message', ({ id, result, error }) => {
      const { resolve, reject } = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(new Error(error))
    })
    child.on('exit', (code) => {
      for (const { reject } of waiting.values()) reject(new Error(`a process of the bench ended with ${code}`))
    })
    const ask = (verb, args = {}) =>
      new Promise((resolve, reject) => {
        waiting.set(next, { resolve, reject })
        child.send({ id: next++, verb, args })
      })
    return { ask, ...figures(child.pid), end: () => end(child) }
  }

  /** Our relay, with limits that let one address be everybody. */
  async relay({ dataDir, ports = {}, web = 'off' } = {}) {
    const dir = dataDir ?? this.#newDir()
    const most = 1_000_000
    const limits = {
      connections: most,
      connectionsPerAddress: most,
      connectionsPerNetwork: most,
      connectionsPerSecondPerAddress: most,
      connectionBurstPerAddress: most,
      reservations: most,
      reservationsPerAddress: most,
      reservationsPerNetwork: most,
      circuits: most,
      circuitsPerPeer: most,
      circuitsPerPair: most,
      circuitsToPeer: most,
      circuitsPerMinutePerPeer: most,
      reservationsPerMinutePerPeer: most,
      circuitsPerAddress: most,
      circuitsPerNetwork: most,
      circuitsPerMinutePerAddress: most,
      requestsPerSecondPerAddress: most,
      requestBurstPerAddress: most,
      mailStreamsPerAddress: most,
      mailStreamsPerNetwork: most,
      mailTagsPerAddress: most,
      mailTagsPerNetwork: most,
      httpConnectionsPerAddress: most,
      httpConnectionsPerNetwork: most,
      httpRequestsPerSecondPerAddress: most,
      httpRequestBurstPerAddress: most,
      httpBytesPerSecondPerAddress: 0,
      httpBytesPerSecondPerNetwork: 0,
    }
    writeFileSync(join(dir, 'settings.json'), JSON.stringify({ limits }))
    const names = ['http', 'tcp', 'ws', 'quic', 'webrtc', 'stun', 'stun2', 'reflector']
    const args = ['run', '--json', '--host', '127.0.0.1', '--web', web, '--data-dir', dir]
    const child = spawn(process.execPath, [RELAY, ...args, ...names.flatMap((name) => [`--${name}`, String(ports[name] ?? 0)])], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    this.#running.push(child)
    const [line] = await once(createInterface(child.stdout), 'line')
    const { addresses, url } = JSON.parse(line)
    return {
      dataDir: dir,
      url,
      tcp: addresses.find((each) => /\/tcp\/\d+\/p2p/.test(each)),
      child,
      ...figures(child.pid),
      end: () => end(child),
    }
  }

  #newDir() {
    const dir = mkdtempSync(join(tmpdir(), 'skein-bench-relay-'))
    this.#dirs.push(dir)
    return dir
  }

  async stop() {
    await Promise.all(this.#running.splice(0).map(end))
    for (const dir of this.#dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
  }
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

function figures(pid) {
  return {
    pid,
    /** Processor seconds so far, in user and system. */
    cpu: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS
    },
    /** Resident now, MiB. */
    rss: () => (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE) / MIB,
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

export function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}
