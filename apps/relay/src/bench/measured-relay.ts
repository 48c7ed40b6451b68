/** The relay that is measured: this very program in a process of its own, on loopback, with nothing of the operator's. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { createInterface } from 'node:readline'
import * as z from 'zod'
import { changeSettings, DEFAULT_SETTINGS } from '../settings.ts'

/** All members of the bench have one address; more than any machine takes. */
const MOST = 1_000_000
const LIMITS = Object.keys(DEFAULT_SETTINGS.limits).filter((name) => !/bytes/i.test(name))
const PORTS = ['http', 'tcp', 'ws', 'quic', 'webrtc', 'stun', 'stun2', 'reflector']
const readySchema = z.looseObject({ url: z.string(), addresses: z.array(z.string()) })

export interface Figures {
  /** Processor time since the start, seconds. */
  readonly cpuSeconds: number
  /** Resident, bytes. */
  readonly rssBytes: number
}

/** Without the operator's settings, which are for the relay that is installed. */
function ownEnv(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SKEIN_')))
}

export class MeasuredRelay implements AsyncDisposable {
  readonly url: string
  /** Multiaddr of its TCP port. */
  readonly tcp: string
  readonly #child: ChildProcess
  readonly #dir: string

  private constructor(child: ChildProcess, dir: string, ready: z.infer<typeof readySchema>) {
    this.#child = child
    this.#dir = dir
    this.url = ready.url
    this.tcp = ready.addresses.find((each) => /\/tcp\/\d+\/p2p/.test(each)) ?? ''
  }

  /** @throws Error when it does not start */
  static async start(): Promise<MeasuredRelay> {
    const dir = mkdtempSync(join(tmpdir(), 'skein-relay-bench-'))
    changeSettings(dir, Object.fromEntries(LIMITS.map((each) => [`limits.${each}`, MOST])))
    const ports = PORTS.flatMap((name) => [`--${name}`, '0'])
    const args = ['run', '--json', '--host', '127.0.0.1', '--web', 'off', '--data-dir', dir, ...ports]
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...args], { env: ownEnv(), stdio: ['ignore', 'pipe', 'ignore', 'ipc'] })
    const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`The relay that was to be measured ended with ${code}.`)))
    const first = once(createInterface(child.stdout as Readable), 'line') as Promise<[string]>
    try {
      const [line] = await Promise.race([first, ended])
      return new MeasuredRelay(child, dir, readySchema.parse(JSON.parse(line)))
    } catch (error) {
      child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
      throw error
    } finally {
      ended.catch(() => undefined)
    }
  }

  /** From its own metrics, so that it is the same on every system. */
  async figures(): Promise<Figures> {
    const text = await (await fetch(`${this.url}/metrics`)).text()
    const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    return { cpuSeconds: value('process_cpu_seconds_total'), rssBytes: value('process_resident_memory_bytes') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, 'exit') : undefined
    this.#child.kill('SIGKILL')
    await gone
    rmSync(this.#dir, { recursive: true, force: true })
  }
}
