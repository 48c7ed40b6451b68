/** Chaos among real processes: clients and relays are killed and stopped at random while people write to each other. */
import { randomInt } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { BrowserFigures } from './chaos-browsers.ts'
import { addCounts, countPair, type PairCounts } from './chaos-count.ts'
import { SmallDisk } from './chaos-disk.ts'
import { befriend, type HistoryLine, Lab, type LabClient, type LabRelay } from './processes.ts'

export interface ChaosOptions {
  /** How long things go wrong; what comes before and after is beside it. */
  readonly ms: number
  readonly clients?: number
  /** Two browsers write with one of them, and their tabs and storage go. */
  readonly browsers?: boolean
  readonly log?: (line: string) => void
}

export interface ChaosFigures extends PairCounts {
  /** Runs that these figures are of; chance has no seed here. */
  seeds: number
  messages: number
  kills: number
  stops: number
  /** How often a disk was full, and a clock jumped. */
  full_disks: number
  clock_jumps: number
  /** How often a tab was closed, loaded again or taken over from, and a storage deleted. */
  tabs_hurt: number
  storage_lost: number
  failures: string[]
}

/** A stopped process is let go on after at most so long, ms. */
const MOST_STOPPED_MS = 15_000
/** In a run of this length one process stands still for a whole minute, ms. */
const LONG_RUN_MS = 120_000
const FULL_STOP_MS = 60_000
/** Who write at one time. */
const WRITERS = 2
/** Time in which everything that was sent has to arrive once nothing goes wrong any more, ms. */
const SETTLE_WITHIN_MS = 300_000
const PAUSE_MS = 500
/** A disk has room again after at most so long, ms. */
const MOST_FULL_MS = 8_000
/** Half a day: clocks that are off by a day are tolerated (DL8). */
const MOST_JUMP_MINUTES = 720

interface Sent {
  readonly from: LabClient
  readonly to: LabClient
  readonly id: string
}

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const chance = (share: number): boolean => randomInt(1_000) < share * 1_000
const pick = <T>(from: readonly T[]): T => from[randomInt(from.length)] as T

export async function runChaos({
  ms,
  clients: count = 5,
  browsers: wanted = false,
  log = () => undefined,
}: ChaosOptions): Promise<ChaosFigures> {
  await using lab = await Promise.resolve(new Lab())
  const relays = [await lab.relay('first'), await lab.relay('second')]
  const urls = relays.map(({ url }) => url)
  const clients = Array.from({ length: count }, (_, number) => lab.asleep(`c${number}`, urls))
  // The last one writes to a small disk, the first one's clock jumps.
  using disk = SmallDisk.mount(clients.at(-1)?.dir ?? '')
  const clock = new JumpingClock(lab.path('clock'), clients[0] as LabClient)
  for (const client of clients) await client.start()
  const pairs = clients.slice(1).map((client, at) => [clients[at] as LabClient, client] as const)
  for (const [a, b] of pairs) await befriend(a, b)
  log(`${count} clients are contacts`)
  const second = lab.asleep('second device')
  await linkTo(clients[0] as LabClient, second)
  log('one of them has two devices')
  // Loaded with its browser only where one is wanted.
  const open = async () => (await import('./chaos-browsers.ts')).ChaosBrowsers.open(clients[1] as LabClient, urls)
  await using browsers = wanted ? await open() : undefined
  const chaos = new Chaos({ clients, relays, pairs, disk, clock, second })
  // On a slow machine what goes wrong may be all there is time for.
  await chaos.send('before')
  const end = performance.now() + ms
  const writers = Array.from({ length: WRITERS }, () => chaos.write(end))
  const minute = ms >= LONG_RUN_MS ? chaos.stopFor(FULL_STOP_MS, log) : undefined
  await Promise.all([...writers, minute, chaos.hurt(end, log), browsers?.run(end, log)])
  await chaos.mend()
  log(`${chaos.sent.length} sent; everything is up again`)
  await chaos.settle()
  // Awaited here: everything ends with this function.
  return withBrowsers(await chaos.figures(), await browsers?.figures(SETTLE_WITHIN_MS))
}

class Chaos {
  readonly sent: Sent[] = []
  private readonly clients: readonly LabClient[]
  private readonly relays: readonly LabRelay[]
  private readonly pairs: readonly (readonly [LabClient, LabClient])[]
  private readonly down = new Set<LabClient | LabRelay>()
  private kills = 0
  private stops = 0

  private readonly disk: SmallDisk | undefined
  private readonly clock: JumpingClock
  private readonly second: LabClient
  private fullDisks = 0
  private number = 0
  /** Stands still for long. */
  private standing: LabClient | undefined

  constructor({ clients, relays, pairs, disk, clock, second }: ChaosParts) {
    this.clients = clients
    this.relays = relays
    this.pairs = pairs
    this.disk = disk
    this.clock = clock
    this.second = second
  }

  /** Somebody writes, all the time. What was not reported as queued was not sent. */
  async write(end: number): Promise<void> {
    while (performance.now() < end) {
      this.number += 1
      if (!(await this.send(`message ${this.number}`))) await rest(PAUSE_MS)
    }
  }

  /** @returns whether somebody's message was reported as queued */
  async send(text: string): Promise<boolean> {
    const [a, b] = pick(this.pairs)
    const [from, to] = chance(0.5) ? [a, b] : [b, a]
    // Of the first one's account either device writes.
    const device = from === this.clients[0] && chance(0.5) ? this.second : from
    const { code, json } = await device.run('send', to.name, '--', text)
    if (code === 0) this.sent.push({ from, to, id: String(json.messages[0].id) })
    return code === 0
  }

  /** Kills, stops, and brings back, all the time. */
  async hurt(end: number, log: (line: string) => void): Promise<void> {
    while (performance.now() < end) {
      const all = [...this.clients, ...this.clients, ...this.relays, this.second]
      const each = pick<LabClient | LabRelay>(all.filter((one) => one !== this.standing))
      const roll = randomInt(10)
      if (roll === 0) log(this.clock.jump())
      else if (roll === 1) await this.fillDisk(end, log)
      else if (this.down.has(each)) await this.restart(each)
      else if (chance(0.3) && !this.isRelay(each)) await this.pause(each, Math.min(MOST_STOPPED_MS, end - performance.now()))
      else {
        await each.end('SIGKILL')
        this.down.add(each)
        this.kills += 1
        log(`killed ${this.isRelay(each) ? 'a relay' : each.name}`)
      }
      await rest(randomInt(PAUSE_MS * 4))
    }
  }

  /** Nothing is written there for a while; what was acknowledged before is there, and what comes waits at its sender. */
  private async fillDisk(end: number, log: (line: string) => void): Promise<void> {
    if (this.disk === undefined) return
    this.disk.fill()
    this.fullDisks += 1
    log('a disk is full')
    await rest(Math.max(0, Math.min(randomInt(MOST_FULL_MS), end - performance.now())))
    this.disk.empty()
  }

  async mend(): Promise<void> {
    this.disk?.empty()
    this.clock.back()
    for (const each of [...this.down]) await this.restart(each)
  }

  /** Until every sender knows that what it sent was delivered. */
  async settle(): Promise<void> {
    for (const end = performance.now() + SETTLE_WITHIN_MS; performance.now() < end; ) {
      const waiting = await Promise.all(
        [...this.clients, this.second].map(async (client) => (await client.run('outbox')).json.outbox.length as number),
      )
      if (waiting.every((rows) => rows === 0)) return
      await rest(PAUSE_MS)
    }
  }

  async figures(): Promise<ChaosFigures> {
    const figures: ChaosFigures = {
      seeds: 1,
      messages: this.sent.length,
      delivered: 0,
      lost: 0,
      doubled: 0,
      misordered: 0,
      unknown: 0,
      kills: this.kills,
      stops: this.stops,
      full_disks: this.fullDisks,
      clock_jumps: this.clock.jumps,
      tabs_hurt: 0,
      storage_lost: 0,
      failures: [],
    }
    // First: what the second device has sent is counted where the first one shows it.
    figures.failures.push(...(await this.differences()))
    for (const [a, b] of this.pairs) for (const [from, to] of [[a, b] as const, [b, a] as const]) await this.count(figures, from, to)
    return figures
  }

  /** Both devices of one account show the same, in the end. */
  private async differences(): Promise<readonly string[]> {
    const [first, other] = this.pairs[0] ?? []
    if (first === undefined || other === undefined) return []
    const shown = async (at: LabClient): Promise<string> => String((await historyOf(at, other)).map(({ id, state }) => `${id} ${state}`))
    for (const end = performance.now() + SETTLE_WITHIN_MS; performance.now() < end; await rest(PAUSE_MS))
      if ((await shown(first)) === (await shown(this.second))) return []
    return ['two devices of one account show different histories']
  }

  private async count(figures: ChaosFigures, from: LabClient, to: LabClient): Promise<void> {
    const [out, received] = await Promise.all([historyOf(from, to), historyOf(to, from)])
    const mine = this.sent.filter((each) => each.from === from && each.to === to).map(({ id }) => id)
    addCounts(figures, countPair(mine, out, received))
    const undelivered = out.filter(({ direction, state }) => direction === 'out' && state !== 'delivered' && state !== 'read').length
    if (undelivered > 0) figures.failures.push(`${from.name} does not know of ${undelivered} that they were delivered to ${to.name}`)
  }

  private async pause(client: LabClient, ms: number): Promise<void> {
    if (ms <= 0) return
    client.signal('SIGSTOP')
    this.stops += 1
    await rest(randomInt(Math.max(1, Math.floor(ms))))
    client.signal('SIGCONT')
  }

  /** One process stands still for long beside whatever else goes wrong. */
  async stopFor(ms: number, log: (line: string) => void): Promise<void> {
    const client = pick(this.clients.slice(1))
    this.standing = client
    client.signal('SIGSTOP')
    this.stops += 1
    log(`${client.name} stands still for ${ms / 1_000} s`)
    await rest(ms)
    client.signal('SIGCONT')
    this.standing = undefined
  }

  private async restart(each: LabClient | LabRelay): Promise<void> {
    await each.start()
    this.down.delete(each)
  }

  private isRelay(each: LabClient | LabRelay): each is LabRelay {
    return this.relays.includes(each as LabRelay)
  }
}

function withBrowsers(figures: ChaosFigures, browsers: BrowserFigures | undefined): ChaosFigures {
  if (browsers !== undefined) {
    addCounts(figures, browsers)
    figures.messages += browsers.messages
    figures.tabs_hurt = browsers.tabs_hurt
    figures.storage_lost = browsers.storage_lost
  }
  if (figures.delivered + figures.lost !== figures.messages) figures.failures.push('the histories do not add up')
  for (const name of ['lost', 'doubled', 'misordered', 'unknown'] as const)
    if (figures[name] > 0) figures.failures.push(`${figures[name]} ${name}`)
  return figures
}

interface ChaosParts {
  readonly clients: readonly LabClient[]
  readonly relays: readonly LabRelay[]
  readonly pairs: readonly (readonly [LabClient, LabClient])[]
  readonly disk: SmallDisk | undefined
  readonly clock: JumpingClock
  /** Of the first client's account. */
  readonly second: LabClient
}

/** The time of day of one process, and of no other. */
class JumpingClock {
  jumps = 0
  private readonly file: string

  constructor(file: string, client: LabClient) {
    this.file = file
    this.back()
    client.env = { NODE_OPTIONS: `--import ${new URL('clock-shift.mjs', import.meta.url)}`, CHAOS_CLOCK_FILE: file }
  }

  jump(): string {
    const minutes = randomInt(-MOST_JUMP_MINUTES, MOST_JUMP_MINUTES)
    writeFileSync(this.file, String(minutes * 60_000))
    this.jumps += 1
    return `a clock is off by ${minutes} minutes`
  }

  back(): void {
    writeFileSync(this.file, '0')
  }
}

async function linkTo(old: LabClient, fresh: LabClient): Promise<void> {
  using shown = old.lines('devices', 'link')
  const { link } = await shown.line('waiting')
  using joining = fresh.lines('link', String(link))
  const { code } = await joining.line('compare')
  await old.run('devices', 'confirm', String(code))
  if ((await joining.ended) !== 0) throw new Error(`not linked: ${JSON.stringify(joining.seen)}`)
  await fresh.start()
}

/** @throws Error with what the command said */
async function historyOf(at: LabClient, of: LabClient): Promise<readonly HistoryLine[]> {
  const { out, json } = await at.run('history', of.name, '--limit', '1000')
  if (json?.messages === undefined) throw new Error(`${at.name} (${at.pid}) shows no history with ${of.name}: ${out}\n${at.stderr}`)
  return json.messages as HistoryLine[]
}
