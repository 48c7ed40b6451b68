/**
 * Chaos in memory: whole messengers and relays on a virtual clock, and one seed that decides who sends, who crashes between
 * which two steps, what is cut, and whose clock is wrong. What must never happen is looked for after every step.
 */
import { type ChaosOptions, type ChaosResult, inWords, isOver, outOfOrder, unlike } from './chaos-verdict.ts'
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

interface Sent {
  readonly from: string
  readonly to: string
  readonly text: string
  /** The sender allowed it little time. */
  readonly short: boolean
}

/** Whose account gets more devices, and loses them again. */
const HOUSEHOLD = 'bo'

class Chaos {
  readonly failures: string[] = []
  readonly sent: Sent[] = []
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

  constructor(seed: number, { people = 3, primitives }: ChaosOptions) {
    this.names = NAMES.slice(0, people)
    this.pairs = PAIRS.slice(0, people - 1)
    this.world = new World(seed, primitives)
    this.world.skipsIdle = true
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
    else if (roll < 0.46) await this.send()
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
    if (this.chance(0.3)) this.partAll()
    for (let tries = 0; tries < HEAL_TRIES && !(await this.isSettled()); tries += 1) await this.world.run(HEAL_MS)
    await this.check()
  }

  async tally(seed: number): Promise<ChaosResult> {
    let [delivered, lost, doubled] = [0, 0, 0]
    for (const each of this.sent) {
      const copies = (await this.history(each.to, each.from)).filter(({ text, direction }) => direction === 'in' && text === each.text)
      if (copies.length > 0) delivered += 1
      else if (!each.short || !(await this.hasExpired(each))) lost += 1
      doubled += Math.max(0, copies.length - 1)
    }
    const misordered = await this.misordered()
    const failures = [...this.failures, ...(await this.differences())]
    if (lost > 0) failures.push(`${lost} lost`)
    if (doubled > 0) failures.push(`${doubled} doubled`)
    if (misordered > 0) failures.push(`${misordered} misordered`)
    failures.push(...(await this.unsettled()))
    return { seed, messages: this.sent.length, delivered, lost, doubled, misordered, failures }
  }

  /** Whether its sender was told that nobody got it in time. Of a device that was taken out nobody knows. */
  private async hasExpired({ from, to, text }: Sent): Promise<boolean> {
    const at = this.isHere(from) ? from : HOUSEHOLD
    const message = (await this.history(at, to)).find((each) => each.direction === 'out' && each.text === text)
    return at !== from || (message?.state === 'failed' && message.reason === 'expired')
  }

  private isHere(name: string): boolean {
    return this.names.includes(name) || name === this.second
  }

  private async check(): Promise<void> {
    for (const [from, to] of this.pairs) {
      for (const [at, of] of [
        [from, to],
        [to, from],
      ] as const) {
        if (this.down.has(at)) continue
        const ids = (await this.history(at, of)).map(({ id }) => id)
        if (new Set(ids).size !== ids.length) this.failures.push(`${at} shows a message of ${of} twice`)
      }
    }
    for (const [url, store] of this.relayStores) {
      const plain = store.seen.some((bytes) => String.fromCharCode(...bytes.subarray(0, 4_096)).includes(MARK))
      if (plain) this.failures.push(`${url} holds a text in clear`)
    }
  }

  /** What the two devices of one account show differently. */
  private async differences(): Promise<readonly string[]> {
    const { second } = this
    if (second === undefined) return []
    const all = await Promise.all(
      this.others().map(async (other) => {
        const [here, there] = await Promise.all([HOUSEHOLD, second].map((at) => this.history(at, other)))
        return unlike(here ?? [], there ?? []).map((what) => `two devices show ${what} of ${other}`)
      }),
    )
    return all.flat()
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
    if (this.second !== undefined) return this.takeOut(this.second)
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
    if (!this.node(name).messenger.identity.isRevoked) this.failures.push(`${name} does not know that it was taken out`)
    this.world.kill(this.node(name))
  }

  private kept(name: string, store: CrashingStore): CrashingStore {
    this.stores.set(name, store)
    return store
  }

  /** Messages of one sender that its recipient shows in another order than they were sent. */
  private async misordered(): Promise<number> {
    let wrong = 0
    for (const [a, b] of this.pairs) {
      for (const [at, of] of [
        [a, b],
        [b, a],
      ] as const) {
        wrong += outOfOrder(await this.history(at, of))
      }
    }
    return wrong
  }

  /** Whether every sender knows what has become of its messages, and both devices of one account show the same. */
  private async isSettled(): Promise<boolean> {
    return (await this.unsettled()).length === 0 && (await this.differences()).length === 0
  }

  /** Messages of which their sender does not know that they were delivered, or that their time was over. */
  private async unsettled(): Promise<readonly string[]> {
    const ways = this.pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
    const { second } = this
    const more = second === undefined ? [] : this.others().map((other) => [second, other] as const)
    const found: string[] = []
    for (const [at, of] of [...ways, ...more])
      for (const message of await this.history(at, of))
        if (!isOver(message) && message.sender === this.device(at)) found.push(`${at}: ${inWords(message)}`)
    return found
  }

  private history(at: string, of: string) {
    return this.world.history(this.node(at), this.node(of))
  }

  private async send(): Promise<void> {
    const [a, b] = this.pick(this.pairs)
    const [author, to] = this.chance(0.5) ? [a, b] : [b, a]
    const from = author === HOUSEHOLD && this.second !== undefined && this.chance(0.5) ? this.second : author
    if (this.down.has(from)) return
    this.count += 1
    const text = `${MARK} ${this.count}`
    let accepted = false
    const short = this.chance(0.1)
    const contact = this.world.contactOf(this.node(from), this.node(to))
    const sending = this.node(from)
      .messenger.send(contact, text, short ? { expireMs: SHORT_MS } : {})
      .then(
        () => (accepted = true),
        () => undefined,
      )
    // A crash may come before it is durable: then it was never sent.
    await Promise.race([sending, this.world.run(1_000)])
    if (accepted) this.sent.push({ from, to, text, short })
  }

  /** Somebody reads what is there. */
  private async look(): Promise<void> {
    const [a, b] = this.pick(this.pairs)
    const [reader, of] = this.chance(0.5) ? [a, b] : [b, a]
    const at = reader === HOUSEHOLD && this.second !== undefined && this.chance(0.5) ? this.second : reader
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
    if (this.chance(0.3)) store.wipe()
    else store.harm = this.pick(['none', 'lies', 'withholds'] as const)
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
  return chaos.tally(seed)
}
