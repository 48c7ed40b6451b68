/**
 * Chaos in memory: whole messengers and relays on a virtual clock, and one seed that decides who sends, who crashes between
 * which two steps, what is cut, and whose clock is wrong. What must never happen is looked for after every step.
 */
import { ChaosJudge } from './chaos-judge.ts'
import type { ChaosOptions, ChaosResult } from './chaos-verdict.ts'
import type { MessageId } from '../ids.ts'
import { CrashingStore, FailingMailboxStore } from './failing-stores.ts'
import { seededRandom } from './seeded-random.ts'
import { type StartOptions, World, type WorldNode, type WorldRelay } from './world.ts'

export type { ChaosOptions, ChaosResult } from './chaos-verdict.ts'

const NAMES = ['ana', 'bo', 'cy'] as const
const MAILBOXES = ['http://a.test', 'http://b.test'] as const
/** In every text, and to be found nowhere at a carrier. */
const MARK = 'marked text'
const DAY_MS = 86_400_000
/** Time that some senders allow. */
const SHORT_MS = 20_000
/** Virtual time for what was harmed to come right: questions about lost mail are asked after minutes, then hours. */
const HEAL_MS = 60_000
const HEAL_TRIES = 120
/** Virtual time in which devices of one account have asked each other for what they lack (DV12). */
const SYNC_MS = 700_000

/** Whose account gets more devices, and loses them again. */
const HOUSEHOLD = 'bo'

class Chaos {
  readonly judge: ChaosJudge
  private readonly world: World
  private readonly random: ReturnType<typeof seededRandom>
  private readonly nodes = new Map<string, WorldNode>()
  private readonly stores = new Map<string, CrashingStore>()
  private readonly down = new Set<string>()
  private readonly relays = new Map<string, WorldRelay>()
  private readonly relayStores = new Map<string, FailingMailboxStore>()
  private readonly skews = new Map<string, number>()
  private readonly names: readonly string[]
  private readonly pairs: readonly (readonly [string, string])[]
  private count = 0
  /** The second device of HOUSEHOLD, if it has one now. */
  private second: string | undefined
  private devicesMade = 0
  /** A mailbox may have lost what it took. */
  private isMailLost = false

  constructor(seed: number, { people = 3, primitives }: ChaosOptions) {
    this.names = NAMES.slice(0, people)
    this.pairs = PAIRS.slice(0, people - 1)
    this.world = new World(seed, primitives)
    this.world.skipsIdle = true
    const dice = seededRandom(seed ^ 0xd15c)
    this.world.network.disorder = () => (dice.uniform() < 0.95 ? 'none' : dice.uniform() < 0.5 ? 'double' : 'swap')
    this.judge = new ChaosJudge({
      pairs: this.pairs,
      history: (at, of) => this.history(at, of),
      storeOf: (name) => this.stores.get(name),
      device: (name) => this.device(name),
      household: () => ({ first: HOUSEHOLD, second: this.second, others: this.others() }),
    })
    this.random = seededRandom(seed ^ 0x5eed)
  }

  async begin(): Promise<void> {
    for (const url of MAILBOXES) this.startRelay(url)
    for (const name of this.names) {
      // A quarter of the clocks are off; two differ by a day at most.
      this.setClock(name)
      await this.startNode(name, new CrashingStore())
    }
    for (const [a, b] of this.pairs) await this.world.befriend(this.node(a), this.node(b))
    await this.world.run(3_000)
  }

  async step(): Promise<void> {
    const roll = this.random.uniform()
    if (roll < 0.04) await this.changeDevices()
    else if (roll < 0.4) await this.send()
    else if (roll < 0.48) await this.annotate()
    else if (roll < 0.54) await this.look()
    else if (roll < 0.64) this.armCrash()
    else if (roll < 0.72) await this.comeBack()
    else if (roll < 0.82) this.cut()
    else if (roll < 0.87) this.switchRelay()
    else if (roll < 0.94) this.harmMail()
    else if (roll < 0.97) this.world.network.dropLinks(() => this.chance(0.5))
    else await this.fillDisk()
    await this.world.run(this.chance(0.2) ? 15_000 : 500)
    await this.check()
  }

  /** Everything is mended, but that some never meet again and have mailboxes alone; whatever was sent must arrive. */
  async heal(): Promise<void> {
    for (const node of this.nodes.values()) this.disarm(node.name)
    for (const url of MAILBOXES) if (!this.relays.has(url)) this.startRelay(url)
    for (const store of this.relayStores.values()) store.harm = 'none'
    this.world.network.mend()
    for (const name of [...this.down]) await this.restart(name)
    // A card that a mailbox has lost is told again the day after, or when two meet.
    const mayLackCard = this.devicesMade > 0 && this.isMailLost
    if (this.chance(0.3) && !mayLackCard) this.partAll()
    for (let tries = 0; tries < HEAL_TRIES && !(await this.judge.isSettled()); tries += 1) await this.world.run(HEAL_MS)
    await this.check()
  }

  private async check(): Promise<void> {
    await this.judge.check()
    for (const [url, store] of this.relayStores) {
      const plain = store.seen.some((bytes) => String.fromCharCode(...bytes.subarray(0, 4_096)).includes(MARK))
      if (plain) this.judge.failures.push(`${url} holds a text in clear`)
    }
  }

  /** Who HOUSEHOLD talks with. */
  private others(): readonly string[] {
    return this.pairs.filter((pair) => pair.includes(HOUSEHOLD)).map(([a, b]) => (a === HOUSEHOLD ? b : a))
  }

  /** Somebody's disk is full for a while: what comes is not acknowledged, what was acknowledged to it is recorded later. */
  private async fillDisk(): Promise<void> {
    const store = this.stores.get(this.pick(this.names))
    if (store === undefined) return
    store.full = true
    await this.world.run(5_000)
    store.full = false
  }

  /** A device more, or one less. Linking is a matter of minutes: nothing crashes and nothing is cut meanwhile. */
  private async changeDevices(): Promise<void> {
    if (this.down.has(HOUSEHOLD)) return
    this.disarm(HOUSEHOLD)
    this.world.network.mend()
    if (this.second !== undefined) return this.chance(0.5) ? this.takeOut(this.second) : this.takeOver(this.second)
    this.devicesMade += 1
    const name = `${HOUSEHOLD} ${this.devicesMade}`
    this.skews.set(name, this.skews.get(HOUSEHOLD) ?? 0)
    await this.startNode(name, new CrashingStore())
    const store = (): CrashingStore => this.stores.get(name)?.again() ?? new CrashingStore()
    this.nodes.set(
      name,
      await this.world.link(this.node(HOUSEHOLD), this.node(name), () => ({ ...this.optionsOf(name), store: this.kept(name, store()) })),
    )
    this.second = name
  }

  private async takeOut(name: string): Promise<void> {
    if (this.down.has(name)) return
    this.disarm(name)
    // What it has not sent yet would go with it.
    await this.world.run(10_000)
    if ((await this.node(name).messenger.deliveries.outbox()).length > 0) return
    this.second = undefined
    await this.node(HOUSEHOLD).messenger.devices.revoke(this.device(name))
    await this.world.run(5_000)
    if (!this.node(name).messenger.identity.isRevoked) this.judge.failures.push(`${name} does not know that it was taken out`)
    this.world.kill(this.node(name))
  }

  /** The second device takes out the first, and mail waits for that one: from then on it is the first. */
  private async takeOver(name: string): Promise<void> {
    if (this.down.has(name)) return
    this.disarm(name)
    await this.world.run(10_000)
    this.partAll()
    for (const device of this.devicesOf(HOUSEHOLD))
      for (const relay of this.relays.values()) this.world.network.partition(device, relay.device, true)
    // Until the two have told each other all.
    await this.world.run(SYNC_MS)
    const first = this.node(HOUSEHOLD)
    if ((await first.messenger.deliveries.outbox()).length > 0) return
    for (const other of this.others()) if (!this.down.has(other)) await this.sendFrom(other, HOUSEHOLD)
    await this.node(name).messenger.devices.revoke(first.messenger.identity.device)
    await this.world.run(5_000)
    if (!first.messenger.identity.isRevoked) this.judge.failures.push(`${HOUSEHOLD} does not know that it was taken out`)
    this.world.kill(first)
    this.nodes.set(HOUSEHOLD, this.node(name))
    this.stores.set(HOUSEHOLD, this.stores.get(name) ?? new CrashingStore())
    this.skews.set(HOUSEHOLD, this.skews.get(name) ?? 0)
    this.second = undefined
    this.world.network.mend()
  }

  private kept(name: string, store: CrashingStore): CrashingStore {
    this.stores.set(name, store)
    return store
  }

  private history(at: string, of: string) {
    return this.world.history(this.node(at), this.node(of))
  }

  private async send(): Promise<void> {
    const [from, to] = this.somebody()
    if (!this.down.has(from)) await this.sendFrom(from, to)
  }

  private async sendFrom(from: string, to: string): Promise<void> {
    this.count += 1
    const number = this.count
    let id: MessageId | undefined
    const short = this.chance(0.1)
    const contact = this.world.contactOf(this.node(from), this.node(to))
    const sending = this.node(from)
      .messenger.send(contact, `${MARK} ${number}`, short ? { expireMs: SHORT_MS } : {})
      .then(
        (message) => (id = message.id),
        () => undefined,
      )
    // A crash may come before it is durable: then it was never sent.
    await Promise.race([sending, this.world.run(1_000)])
    if (id !== undefined) this.judge.sent.push({ from, to, id, number, short })
  }

  /** Somebody says something about a message: edits or takes back one of his own, or reacts. */
  private async annotate(): Promise<void> {
    const [at, of] = this.somebody()
    if (this.down.has(at)) return
    const texts = (await this.history(at, of)).filter(({ kind, deletedAt }) => kind === 'text' && deletedAt === null)
    if (texts.length === 0) return
    const { id: target, direction, text } = this.pick(texts)
    const number = text.split(' ').at(-1)
    const kind = direction === 'in' ? 'reaction' : this.pick(['reaction', 'edit', 'edit', 'deletion'] as const)
    const body = {
      reaction: { kind: 'reaction', target, emoji: this.pick(['👍', '🎉', '']) } as const,
      edit: { kind: 'edit', target, text: `${MARK} edited ${Math.floor(this.random.uniform() * 99)} ${number}` } as const,
      deletion: { kind: 'deletion', target } as const,
    }[kind]
    const saying = this.node(at).messenger.conversation.annotate(body)
    // A crash may come in between.
    await Promise.race([saying.catch(() => undefined), this.world.run(1_000)])
  }

  /** A device, and with whom its owner talks. */
  private somebody(): readonly [string, string] {
    const [a, b] = this.pick(this.pairs)
    const [one, other] = this.chance(0.5) ? [a, b] : [b, a]
    return [one === HOUSEHOLD && this.second !== undefined && this.chance(0.5) ? this.second : one, other]
  }

  /** Somebody reads what is there. */
  private async look(): Promise<void> {
    const [at, of] = this.somebody()
    if (this.down.has(at)) return
    const last = (await this.history(at, of)).at(-1)
    if (last === undefined) return
    const seeing = this.node(at).messenger.seen(last.contact, last.id)
    // A crash may come in between.
    await Promise.race([seeing.catch(() => undefined), this.world.run(1_000)])
  }

  /** A mailbox loses all it has, lies or keeps it back from now on, or is honest again. */
  private harmMail(): void {
    const store = this.relayStores.get(this.pick(MAILBOXES))
    if (store === undefined) return
    this.isMailLost = true
    if (this.chance(0.3)) store.wipe()
    else store.harm = this.pick(['none', 'lies', 'withholds', 'doubles', 'reverses'] as const)
  }

  /** Nobody meets anybody of another account any more: what is left are mailboxes. */
  private partAll(): void {
    for (const [a, b] of this.pairs)
      for (const one of this.devicesOf(a)) for (const other of this.devicesOf(b)) this.world.network.partition(one, other, true)
  }

  private devicesOf(name: string) {
    const all = name === HOUSEHOLD && this.second !== undefined ? [name, this.second] : [name]
    return all.map((each) => this.device(each))
  }

  /** A quarter of the clocks are off; two differ by a day at most. */
  private setClock(name: string): void {
    this.skews.set(name, this.chance(0.25) ? Math.floor((this.random.uniform() - 0.5) * DAY_MS) : 0)
  }

  private armCrash(): void {
    const name = this.pick(this.second === undefined ? this.names : [...this.names, this.second])
    if (this.down.has(name)) return
    const store = this.stores.get(name)
    store?.arm(Math.floor(this.random.uniform() * 4), this.chance(0.5), () => {
      this.down.add(name)
      this.world.kill(this.node(name))
    })
  }

  private disarm(name: string): void {
    this.stores.get(name)?.arm(Number.MAX_SAFE_INTEGER, false, () => undefined)
  }

  private async comeBack(): Promise<void> {
    const [name] = this.down
    if (name !== undefined) await this.restart(name)
  }

  private async restart(name: string): Promise<void> {
    const store = this.stores.get(name)?.again() ?? new CrashingStore()
    this.down.delete(name)
    if (this.chance(0.2)) this.setClock(name)
    await this.startNode(name, store)
  }

  private async startNode(name: string, store: CrashingStore): Promise<void> {
    this.nodes.set(name, await this.world.start(name, { ...this.optionsOf(name), store: this.kept(name, store) }))
  }

  private optionsOf(name: string): Pick<StartOptions, 'mailboxes' | 'skewMs' | 'visibility'> {
    return { mailboxes: MAILBOXES, skewMs: this.skews.get(name) ?? 0, visibility: 'nobody' }
  }

  private cut(): void {
    const [a, b] = this.pick(this.pairs)
    const ends = this.chance(0.6) ? [this.device(a), this.device(b)] : [this.device(a), this.relays.get(this.pick(MAILBOXES))?.device]
    if (ends[0] !== undefined && ends[1] !== undefined) this.world.network.partition(ends[0], ends[1], this.chance(0.7))
  }

  private device(name: string) {
    return this.node(name).messenger.identity.device
  }

  private switchRelay(): void {
    const url = this.pick(MAILBOXES)
    const relay = this.relays.get(url)
    if (relay === undefined) this.startRelay(url)
    else {
      relay.end()
      this.relays.delete(url)
    }
  }

  private startRelay(url: string): void {
    const store = this.relayStores.get(url) ?? new FailingMailboxStore()
    this.relays.set(url, this.world.relay(url, store))
    this.relayStores.set(url, store)
  }

  private node(name: string): WorldNode {
    const node = this.nodes.get(name)
    if (node === undefined) throw new Error(`no ${name}`)
    return node
  }

  private chance(share: number): boolean {
    return this.random.uniform() < share
  }

  private pick<T>(from: readonly [T, ...T[]] | readonly T[]): T {
    const picked = from[Math.floor(this.random.uniform() * from.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }
}

const PAIRS = [
  ['ana', 'bo'],
  ['bo', 'cy'],
] as const

/** One seed's chaos. */
export async function deliveryChaos(seed: number, options: ChaosOptions = {}): Promise<ChaosResult> {
  const chaos = new Chaos(seed, options)
  await chaos.begin()
  for (let step = 0; step < (options.steps ?? 30); step += 1) await chaos.step()
  await chaos.heal()
  return chaos.judge.tally(seed)
}
