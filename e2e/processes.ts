/** Real processes for tests: relays and clients in folders of their own, driven through the command line alone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SKEIN = join(ROOT, 'apps/cli/bundle/main.js')
const RELAY = join(ROOT, 'apps/relay/bundle/main.js')
const READY_WITHIN_MS = 30_000

type Json = Record<string, unknown>

export interface Ran {
  readonly code: number
  readonly out: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever the command printed
  readonly json: any
}

/** Between two looks, ms: whoever looks without a pause takes the processor from what is waited for. */
const LOOK_EVERY_MS = 10

/** Polls `condition` until it holds. @throws Error naming `what` after `within` milliseconds */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean, { within = 60_000 } = {}): Promise<void> {
  const end = performance.now() + within
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

class Daemon implements AsyncDisposable {
  private readonly child: ChildProcess
  /** First line on stdout. */
  readonly ready: Json
  stderr = ''

  private constructor(child: ChildProcess, ready: Json) {
    this.child = child
    this.ready = ready
    child.stderr?.on('data', (part: Buffer) => (this.stderr = (this.stderr + part.toString()).slice(-20_000)))
  }

  static async spawn(script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Daemon> {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    const line = await firstLine(child)
    return new Daemon(child, JSON.parse(line) as Json)
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Ends it with `signal`; resolves to the exit code, null after a kill. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.hasEnded) return this.child.exitCode
    const gone = once(this.child, 'exit')
    this.child.kill(signal)
    const [code] = (await gone) as [number | null]
    return code
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL')
  }
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    let errors = ''
    const late = setTimeout(() => reject(new Error(`not ready in time: ${errors}`)), READY_WITHIN_MS)
    child.stderr?.on('data', (part: Buffer) => (errors += part.toString()))
    child.once('exit', (code) => reject(new Error(`ended with ${code} before it was ready: ${text}${errors}`)))
    child.stdout?.on('data', (part: Buffer) => {
      text += part.toString()
      if (!text.includes('\n')) return
      clearTimeout(late)
      resolve(text.slice(0, text.indexOf('\n')))
    })
  })
}

interface RunOptions {
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs one command to its end. */
export async function run(args: readonly string[], { input, env = {} }: RunOptions = {}): Promise<Ran> {
  const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const
  const child = spawn(process.execPath, [SKEIN, ...args], { stdio: [...stdio], env: { ...process.env, ...env } })
  if (input !== undefined) child.stdin?.end(input)
  let out = ''
  child.stdout?.on('data', (part: Buffer) => (out += part.toString()))
  const [code] = (await once(child, 'close')) as [number]
  return { code, out, json: parsed(out) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A command that prints line by line: what it has printed so far. */
export class Lines implements Disposable {
  readonly seen: Json[] = []
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>
  private readonly child: ChildProcess

  constructor(dir: string, ...command: readonly string[]) {
    this.child = spawn(process.execPath, [SKEIN, '--data-dir', dir, '--json', ...command], { stdio: ['pipe', 'pipe', 'ignore'] })
    if (this.child.stdout === null) throw new Error('no output')
    createInterface({ input: this.child.stdout }).on('line', (line) => this.seen.push(JSON.parse(line) as Json))
    this.ended = once(this.child, 'close').then(([code]) => code as number | null)
  }

  /** The first line with this `event`. */
  async line(event: string): Promise<Json> {
    await eventually(`a line «${event}»`, () => this.seen.some((line) => line['event'] === event))
    return this.seen.find((line) => line['event'] === event) ?? {}
  }

  /** Into its stdin. */
  write(text: string | Uint8Array): void {
    this.child.stdin?.write(text)
  }

  /** Nothing more comes into its stdin. */
  finish(): void {
    this.child.stdin?.end()
  }

  /** What a terminal does to all who share a pipe: the one who writes ends first. */
  interrupt(): void {
    this.child.kill('SIGINT')
    this.child.stdin?.end()
  }

  kill(): void {
    this.child.kill('SIGKILL')
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL')
  }
}

/** A folder that goes with the test, and everything started in it. */
export class Lab implements AsyncDisposable {
  private readonly folder = mkdtempSync(join(tmpdir(), 'skein-e2e-'))
  private readonly daemons: AsyncDisposable[] = []

  /** A relay on loopback; `ports` fixes some, the rest are any free ones. */
  async relay(name = 'relay', ports: Readonly<Record<string, number>> = {}, extra: readonly string[] = []): Promise<LabRelay> {
    const relay = new LabRelay(join(this.folder, name), ports, extra)
    await relay.start()
    this.daemons.push(relay)
    return relay
  }

  /** A client whose daemon is not started yet. */
  asleep(name: string, relays: readonly string[] = []): LabClient {
    const client = new LabClient(join(this.folder, name), name, relays, [])
    this.daemons.push(client)
    return client
  }

  async client(name: string, relays: readonly string[], extra: readonly string[] = []): Promise<LabClient> {
    const client = new LabClient(join(this.folder, name), name, relays, extra)
    await client.start()
    this.daemons.push(client)
    return client
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.daemons.map((each) => each[Symbol.asyncDispose]()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const RELAY_PORTS = ['http', 'tcp', 'ws', 'webrtc', 'stun', 'stun2', 'reflector'] as const

export class LabRelay implements AsyncDisposable {
  private daemon: Daemon | undefined
  readonly dir: string
  private readonly ports: Readonly<Record<string, number>>
  private readonly extra: readonly string[]
  url = ''

  constructor(dir: string, ports: Readonly<Record<string, number>>, extra: readonly string[]) {
    this.dir = dir
    this.ports = ports
    this.extra = extra
  }

  async start(): Promise<void> {
    // The URL names the relay for good; its other ports may change from start to start.
    const http = this.url === '' ? (this.ports['http'] ?? 0) : Number(new URL(this.url).port)
    const ports = RELAY_PORTS.flatMap((name) => [`--${name}`, String(name === 'http' ? http : (this.ports[name] ?? 0))])
    this.daemon = await Daemon.spawn(RELAY, [
      'run',
      '--json',
      '--data-dir',
      this.dir,
      '--host',
      '127.0.0.1',
      '--quic',
      'off',
      ...ports,
      ...this.extra,
    ])
    this.url = String(this.daemon.ready['url'])
  }

  get peerId(): string {
    return String(this.daemon?.ready['peer_id'])
  }

  get pid(): number {
    return this.daemon?.pid ?? 0
  }

  get stderr(): string {
    return this.daemon?.stderr ?? ''
  }

  get addresses(): readonly string[] {
    return this.daemon?.ready['addresses'] as string[]
  }

  end(signal?: NodeJS.Signals): Promise<number | null> {
    return this.daemon?.end(signal) ?? Promise.resolve(null)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon?.[Symbol.asyncDispose]()
  }
}

export interface HistoryLine {
  readonly id: string
  readonly direction: 'in' | 'out'
  readonly text: string
  readonly state: string
  readonly reply_to: string | null
  readonly edited_at: number | null
  readonly deleted_at: number | null
  readonly contact_reaction: string | null
}

/** A device as `skein peers` shows it. */
export interface PeerLine {
  readonly contact: string | null
  readonly device: string
  readonly asked: boolean
  readonly online: boolean
  readonly last_seen: number | null
}

export class LabClient implements AsyncDisposable {
  readonly dir: string
  readonly name: string
  /** Of its daemon, from the next start on. */
  env: Readonly<Record<string, string>> = {}
  private readonly args: readonly string[]
  private daemon: Daemon | undefined

  constructor(dir: string, name: string, relays: readonly string[], extra: readonly string[]) {
    this.dir = dir
    this.name = name
    // By a path that is not absolute, as people write it.
    const at = ['--data-dir', relative(process.cwd(), dir)]
    this.args = ['up', '--json', ...at, '--name', name, '--no-lan', ...relays.flatMap((url) => ['--relay', url]), ...extra]
  }

  async start(): Promise<void> {
    this.daemon = await Daemon.spawn(SKEIN, this.args, this.env)
  }

  /** Starts it unless it runs: what an earlier test has ended. */
  async awake(): Promise<void> {
    if (this.daemon?.hasEnded !== false) await this.start()
  }

  get account(): string {
    return String(this.daemon?.ready['account'])
  }

  get pid(): number {
    return this.daemon?.pid ?? 0
  }

  get stderr(): string {
    return this.daemon?.stderr ?? ''
  }

  run(...args: readonly string[]): Promise<Ran> {
    return run(['--data-dir', this.dir, '--json', ...args])
  }

  end(signal?: NodeJS.Signals): Promise<number | null> {
    return this.daemon?.end(signal) ?? Promise.resolve(null)
  }

  events(): Lines {
    return new Lines(this.dir, 'events')
  }

  lines(...command: readonly string[]): Lines {
    return new Lines(this.dir, ...command)
  }

  /** Sends a signal and does not wait for the end, for those that have none: SIGSTOP, SIGCONT. */
  signal(signal: NodeJS.Signals): void {
    this.daemon?.signal(signal)
  }

  /** Waits until this client holds a reservation on `count` relays. */
  async joined(count = 1): Promise<void> {
    await eventually(`${this.name} joins ${count} relay(s)`, async () => {
      const { json } = await this.run('status')
      return json.relays.filter((relay: { reserved: boolean }) => relay.reserved).length >= count
    })
  }

  async history(contact: string): Promise<readonly HistoryLine[]> {
    return (await this.run('history', contact, '--limit', '1000')).json.messages as HistoryLine[]
  }

  /** The device of `other` as this client shows it. */
  async peer(other: LabClient): Promise<PeerLine | undefined> {
    const { json } = await this.run('peers')
    return json.peers.find((each: PeerLine) => each.contact === other.account)
  }

  async isOnline(contact: string): Promise<boolean> {
    const { json } = await this.run('contacts')
    return json.contacts.some((each: { name: string; online: boolean }) => each.name === contact && each.online)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon?.[Symbol.asyncDispose]()
  }
}

/** Makes two clients contacts of each other by an invite. */
export async function befriend(inviter: LabClient, invited: LabClient): Promise<void> {
  await inviter.joined()
  const { json } = await inviter.run('invite')
  const added = await invited.run('add', json.invite)
  if (added.code !== 0) throw new Error(`add failed: ${added.out}`)
  await eventually('both are contacts', async () => {
    const sides = await Promise.all([inviter.run('contacts'), invited.run('contacts')])
    return sides.every((side) => side.json.contacts.some((each: { state: string }) => each.state === 'accepted'))
  })
}

/** What was lost and what was doubled on the way from one client to another, by both histories and message id alone. */
export async function compareHistories(from: LabClient, to: LabClient): Promise<{ sent: number; lost: number; doubled: number }> {
  const [out, received] = await Promise.all([from.history(to.name), to.history(from.name)])
  const sent = out.filter((each) => each.direction === 'out').map(({ id }) => id)
  const arrived = received.filter((each) => each.direction === 'in').map(({ id }) => id)
  return { sent: sent.length, lost: sent.filter((id) => !arrived.includes(id)).length, doubled: arrived.length - new Set(arrived).size }
}
