/** For tests: the built relay in processes of its own, on loopback, with a data directory that goes with the test. */
import { type ChildProcess, spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../bundle/main.js', import.meta.url))
const PORTS = ['http', 'tcp', 'ws', 'quic', 'webrtc', 'stun', 'stun2', 'reflector'] as const
/** Generous: the machine may be building at the same time. */
export const DEADLINE_MS = 60_000

export interface RunningRelay {
  readonly child: ChildProcess
  readonly peer_id: string
  readonly url: string
  readonly addresses: readonly string[]
  /** What it has logged so far. */
  log(): string
}

/** @param name with its labels @returns 0 for what has not happened yet */
export async function metric(relay: RunningRelay, name: string): Promise<number> {
  const text = await (await fetch(`${relay.url}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}

/** Resolves when the relay has counted this so often, by service and reason, and its log has told of it. */
export async function isCounted(relay: RunningRelay, what: string, atLeast = 1): Promise<void> {
  const [service, reason] = what.split(' ')
  const name = `skein_relay_refusals_total{service="${service}",reason="${reason}"}`
  const within = { timeout: DEADLINE_MS, interval: 500 }
  await vi.waitFor(async () => expect([what, (await metric(relay, name)) >= atLeast]).toEqual([what, true]), within)
  await vi.waitFor(() => expect(relay.log()).toContain(`"service":"${service}","why":"${reason}"`), within)
}

export interface Said {
  readonly code: number | null
  readonly result: Record<string, unknown>
}

export class TestRelays {
  readonly #children: ChildProcess[] = []
  readonly #dirs: string[] = []

  newDir(): string {
    const dir = mkdtempSync(join(tmpdir(), 'skein-relay-'))
    this.#dirs.push(dir)
    return dir
  }

  start(dataDir: string, ...extra: readonly string[]): Promise<RunningRelay> {
    return this.startBy([process.execPath], dataDir, ...extra)
  }

  /** @param launcher Node.js, perhaps behind a program that limits it */
  async startBy(launcher: readonly string[], dataDir: string, ...extra: readonly string[]): Promise<RunningRelay> {
    const ports = PORTS.filter((each) => !extra.includes(`--${each}`)).flatMap((each) => [`--${each}`, '0'])
    const args = ['run', '--json', '--data-dir', dataDir, '--host', '127.0.0.1', '--web', 'off', ...ports, ...extra]
    const [command = process.execPath, ...before] = launcher
    const child = spawn(command, [...before, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#children.push(child)
    let log = ''
    child.stderr.on('data', (part: Buffer) => (log += part.toString()))
    const [line] = (await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [string]
    return { child, ...(JSON.parse(line) as Pick<RunningRelay, 'peer_id' | 'url' | 'addresses'>), log: () => log }
  }

  /** Runs one command to its end. */
  async say(dataDir: string, ...args: readonly string[]): Promise<Said> {
    const child = spawn(process.execPath, [MAIN, '--json', '--data-dir', dataDir, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#children.push(child)
    let text = ''
    child.stdout.on('data', (part: Buffer) => (text += part.toString()))
    const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(DEADLINE_MS) })) as [number | null]
    return { code, result: JSON.parse(text) as Record<string, unknown> }
  }

  /** Runs one command to its end with `input` at its stdin. */
  pipe(dataDir: string, input: Buffer, ...args: readonly string[]): SpawnSyncReturns<Buffer> {
    return spawnSync(process.execPath, [MAIN, '--json', '--data-dir', dataDir, ...args], { input, timeout: DEADLINE_MS })
  }

  async clear(): Promise<void> {
    for (const child of this.#children.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    }
    for (const dir of this.#dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
  }
}
