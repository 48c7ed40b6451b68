// The real programs, bin/skein and bin/skein-relay, in boxes of a network.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { binary, inside } from './network.mjs'
import { RELAYS } from './plan.mjs'

const READY_WITHIN_MS = 30_000
/** One call of the command line costs a quarter of a second of processor time; oftener would disturb what is measured. */
const POLL_MS = 250
/** Kept of what a program writes to stderr, for the report of a failure; characters. */
const MAX_STDERR = 4_000
/** `skein history` shows at most so many. */
const MOST_MESSAGES = 1_000
/** One command, whatever it waits for itself. */
const COMMAND_WITHIN_MS = 120_000

const environment = (home) => ({
  PATH: process.env.PATH,
  HOME: home,
  SKEIN_KEY_STORAGE: 'file',
  ...(process.env.NATLAB_LOG === undefined ? {} : { SKEIN_LOG: process.env.NATLAB_LOG }),
})

/** A program that stays: its first line on stdout is taken as JSON. */
class Daemon {
  stderr = ''
  #child

  static async start(box, command, home) {
    const [program, ...args] = [...inside(box), ...command]
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: environment(home) })
    const daemon = new Daemon(child)
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      once(child, 'exit').then(() => undefined),
      sleep(READY_WITHIN_MS, undefined, { ref: false }),
    ])
    daemon.readyAt = Date.now()
    if (line === undefined) {
      child.kill('SIGKILL')
      throw new Error(`${command[0]} in ${box} did not get ready: ${daemon.stderr.trim()}`)
    }
    daemon.ready = JSON.parse(line[0])
    if (daemon.ready.error !== undefined) throw new Error(`${command[0]} in ${box} did not start: ${daemon.ready.error.message}`)
    return daemon
  }

  constructor(child) {
    this.#child = child
    child.stderr.on('data', (part) => {
      this.stderr = (this.stderr + part).slice(-MAX_STDERR)
      if (process.env.NATLAB_LOG !== undefined) process.stderr.write(part)
    })
  }

  signal(name) {
    this.#child.kill(name)
  }

  /** Resolves when it has ended, by itself or by somebody else. */
  get gone() {
    return this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, 'exit') : Promise.resolve()
  }

  async end(signal = 'SIGTERM') {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill(signal)
    await gone
  }
}

/** Runs a command in a box to its end; resolves to `{ code, json }`, of several lines the last. */
async function call(box, command, { home, input }) {
  const [program, ...args] = [...inside(box), ...command]
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: environment(home), timeout: COMMAND_WITHIN_MS })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  let out = ''
  child.stdout.on('data', (part) => (out += part))
  const [code] = await once(child, 'close')
  return { code, json: out.startsWith('{') ? JSON.parse(out.trimEnd().split('\n').at(-1)) : undefined }
}

/** Polls until `holds`; @throws Error naming `what` */
export async function eventually(what, holds, within) {
  for (const end = performance.now() + within; !(await holds()); await sleep(POLL_MS)) {
    if (performance.now() > end) throw new Error(`not within ${within} ms: ${what}`)
  }
}

export class RelayProcess {
  #daemon
  #box
  #dir
  url

  /** @param {number} number of the relay in RELAYS */
  constructor(dir, number = 0) {
    const { box, hosts } = RELAYS[number]
    this.#box = box
    this.#dir = `${dir}/${box}`
    this.host = hosts[0]
    // Port 80 and 443 are what the strictest network lets through.
    this.url = `http://${this.host}`
  }

  async start() {
    const ports = ['--http', '80', '--ws', '443', '--quic', 'off']
    const args = ['run', '--json', '--data-dir', this.#dir, '--host', '0.0.0.0', '--announce-host', this.host, ...ports]
    this.#daemon = await Daemon.start(this.#box, [binary('skein-relay'), ...args], this.#dir)
  }

  /** What the relay says that it has done; resolves when it has gone by itself. */
  async drain() {
    const command = [binary('skein-relay'), '--json', '--data-dir', this.#dir, 'drain']
    const { code, json } = await call(this.#box, command, { home: this.#dir })
    if (code !== 0) throw new Error(`the relay was not drained: ${json?.error?.message ?? `exit code ${code}`}`)
    await this.#daemon.gone
    return json
  }

  /** Nothing happens when it does not run. */
  async end(signal) {
    await this.#daemon?.end(signal)
  }
}

export class ClientProcess {
  box
  #daemon
  #dir
  #relays
  #canTellWhy = true

  constructor(dir, box, relays) {
    this.box = box
    this.#dir = `${dir}/${box}`
    this.#relays = relays
  }

  /** @param {string[]} more options of `skein up` @param {string[]} program instead of `skein` */
  async start(more = [], program = [binary('skein')]) {
    const relays = this.#relays.flatMap((url) => ['--relay', url])
    const args = ['up', '--json', '--data-dir', this.#dir, '--name', this.box, ...relays, ...more]
    this.#daemon = await Daemon.start(this.box, [...program, ...args], this.#dir)
  }

  /** The desktop program on the data of an earlier start, without its window. @returns what the window would open */
  async openWindow(program) {
    const args = ['--json', '--no-window', '--data-dir', this.#dir, '--name', this.box]
    const { account } = this
    this.#daemon = await Daemon.start(this.box, [process.execPath, program, ...args], this.#dir)
    Object.assign(this.#daemon.ready, { account })
    return this.#daemon.ready.url
  }

  /** When the last start was done, milliseconds since 1970. */
  get readyAt() {
    return this.#daemon.readyAt
  }

  get account() {
    return this.#daemon.ready.account
  }

  get stderr() {
    return this.#daemon.stderr
  }

  /** Nothing happens when it does not run. */
  async end(signal) {
    await this.#daemon?.end(signal)
  }

  signal(name) {
    this.#daemon.signal(name)
  }

  call(command, input) {
    return call(this.box, [binary('skein'), '--data-dir', this.#dir, '--json', ...command], { home: this.#dir, input })
  }

  /** The answer of a command. @throws Error when it fails */
  async ask(command, input) {
    const { code, json } = await this.call(command, input)
    if (code !== 0) throw new Error(`skein ${command[0]} in ${this.box}: ${json?.error?.message ?? `exit code ${code}`} ${this.stderr}`)
    return json
  }

  /** A command that stays, e.g. `chat`; the caller ends it. */
  stay(command) {
    const [program, ...args] = [...inside(this.box), binary('skein'), '--data-dir', this.#dir, ...command]
    return spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], env: environment(this.#dir) })
  }

  async joined(within) {
    await eventually(
      `${this.box} joins its relay`,
      async () => (await this.ask(['status'])).relays.some(({ reserved }) => reserved),
      within,
    )
  }

  /** Every message with `other`. @throws Error when there are more than the command shows */
  async messages(other) {
    const { messages } = await this.ask(['history', other.account, '--limit', String(MOST_MESSAGES)])
    if (messages.length === MOST_MESSAGES) throw new Error(`more than ${MOST_MESSAGES} messages: too long a conversation to count`)
    return messages
  }

  /** What this side says of the way to `other`: `{ path, transport, reasons }`, and `since` when, milliseconds since 1970. */
  async way(other) {
    if (this.#canTellWhy) {
      const { code, json } = await this.call(['why', other.account])
      if (code === 0) return { path: json.path, transport: json.transport, since: json.since, reasons: json.reasons }
      this.#canTellWhy = json?.error?.code !== 'USAGE'
    }
    const { peers } = await this.ask(['peers'])
    return { path: peers.find(({ contact }) => contact === other.account)?.path ?? 'none', transport: null, reasons: [] }
  }
}
