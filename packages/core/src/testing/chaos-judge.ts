/** What must hold in chaos: at every instant, in the stores of all sides, and when all is mended. */
import type { DeviceId, MessageId } from '../ids.ts'
import type { Store, StoredMessage } from '../ports/store.ts'
import { type ChaosResult, inWords, isOver, numberOf, outOfOrder, unlike, unlikeSides } from './chaos-verdict.ts'

/** A message that was reported as queued. */
export interface ChaosSent {
  readonly from: string
  readonly to: string
  readonly id: MessageId
  /** At the end of its text, and of no other's. */
  readonly number: number
  /** The sender allowed it little time. */
  readonly short: boolean
}

/** Names stand for devices; that of a person also for whatever device is its first one. */
export interface ChaosView {
  readonly pairs: readonly (readonly [string, string])[]
  history(at: string, of: string): Promise<readonly StoredMessage[]>
  /** As it lies on the disk of a device, switched off or not. */
  storeOf(name: string): Pick<Store, 'message' | 'outboxOf'> | undefined
  device(name: string): DeviceId
  /** The account that gets more devices, its second one if it has one now, and who it talks with. */
  household(): { readonly first: string; readonly second: string | undefined; readonly others: readonly string[] }
}

export class ChaosJudge {
  readonly failures: string[] = []
  readonly sent: ChaosSent[] = []
  private readonly view: ChaosView

  constructor(view: ChaosView) {
    this.view = view
  }

  /** After every step. */
  async check(): Promise<void> {
    const found = [await this.doubled(), await this.untrue()].flat()
    const misordered = await this.misordered()
    if (misordered > 0) found.push(`${misordered} misordered`)
    for (const each of found) if (!this.failures.includes(each)) this.failures.push(each)
  }

  /** Whether every sender knows what has become of its messages, and all that should show the same do. */
  async isSettled(): Promise<boolean> {
    return (await this.unsettled()).length === 0 && (await this.differences()).length === 0
  }

  async tally(seed: number): Promise<ChaosResult> {
    let [delivered, lost, doubled] = [0, 0, 0]
    for (const each of this.sent) {
      const copies = (await this.view.history(each.to, this.accountOf(each.from))).filter((message) => isCopy(message, each))
      if (copies.length > 0) delivered += 1
      else if (!(await this.isExcused(each))) lost += 1
      doubled += Math.max(0, copies.length - 1)
    }
    const misordered = await this.misordered()
    const failures = [...this.failures, ...(await this.differences()), ...(await this.unsettled())]
    if (lost > 0) failures.push(`${lost} lost`)
    if (doubled > 0) failures.push(`${doubled} doubled`)
    return { seed, messages: this.sent.length, delivered, lost, doubled, misordered, failures }
  }

  /** Taken back before it left, or its sender was told that nobody got it in time. Of a device that was taken out nobody knows. */
  private async isExcused({ from, to, id, short }: ChaosSent): Promise<boolean> {
    const at = this.accountOf(from)
    const message = (await this.view.history(at, to)).find((each) => each.direction === 'out' && each.id === id)
    if (message?.deletedAt !== null && message !== undefined) return true
    return short && (!this.isHere(from) || (message?.state === 'failed' && message.reason === 'expired'))
  }

  private isHere(name: string): boolean {
    return this.view.pairs.flat().includes(name) || name === this.view.household().second
  }

  /** The person whose device it is or was. */
  private accountOf(name: string): string {
    return this.view.pairs.flat().includes(name) ? name : this.view.household().first
  }

  private ways(): readonly (readonly [string, string])[] {
    return this.view.pairs.flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
  }

  private async doubled(): Promise<readonly string[]> {
    const found: string[] = []
    for (const [at, of] of this.ways()) {
      const incoming = (await this.view.history(at, of)).filter(({ direction, deletedAt }) => direction === 'in' && deletedAt === null)
      if (new Set(incoming.map(numberOf)).size !== incoming.length) found.push(`${at} shows a message of ${of} twice`)
    }
    return found
  }

  /** What a sender believes of a message, and what is not so. */
  private async untrue(): Promise<readonly string[]> {
    const said = await Promise.all(this.sent.filter(({ from }) => this.isHere(from)).map((each) => this.belied(each)))
    return said.filter((each) => each !== undefined)
  }

  private async belied({ from, to, id }: ChaosSent): Promise<string | undefined> {
    const { view } = this
    const store = view.storeOf(from)
    const message = await store?.message(id, 'out')
    if (store === undefined || message === undefined) return undefined
    if (message === null) return `${from} has lost what it has sent to ${to}`
    if (message.deletedAt !== null || message.state === 'failed') return undefined
    if (message.state === 'queued' || message.state === 'carried')
      return (await store.outboxOf(id)).length > 0 ? undefined : `${from}: ${inWords(message)}, and waits for nobody`
    const { first, second } = view.household()
    const places = to === first && second !== undefined ? [to, second] : [to]
    const there = await Promise.all(places.map((place) => view.storeOf(place)?.message(id, 'in')))
    return there.some((each) => each !== null && each !== undefined) ? undefined : `${from}: ${inWords(message)}, and ${to} has not got it`
  }

  /** Messages of one sender that its recipient shows in another order than they were sent. */
  private async misordered(): Promise<number> {
    const all = await Promise.all(this.ways().map(async ([at, of]) => outOfOrder(await this.view.history(at, of))))
    return all.reduce((sum, each) => sum + each, 0)
  }

  /** What devices show differently that should show the same. */
  private async differences(): Promise<readonly string[]> {
    const { view } = this
    const { first, second, others } = view.household()
    const sides = view.pairs.map(async ([a, b]) => {
      const [here, there] = await Promise.all([view.history(a, b), view.history(b, a)])
      return unlikeSides(here, there).map((what) => `${a} and ${b} show ${what}`)
    })
    const own = (second === undefined ? [] : others).map(async (other) => {
      const [here, there] = await Promise.all([first, second ?? first].map((at) => view.history(at, other)))
      return unlike(here ?? [], there ?? []).map((what) => `two devices show ${what} of ${other}`)
    })
    return (await Promise.all([...sides, ...own])).flat()
  }

  /** Messages of which their sender does not know that they were delivered, or that their time was over. */
  private async unsettled(): Promise<readonly string[]> {
    const { second, others } = this.view.household()
    const more = second === undefined ? [] : others.map((other) => [second, other] as const)
    const found: string[] = []
    for (const [at, of] of [...this.ways(), ...more])
      for (const message of await this.view.history(at, of))
        if (!isOver(message) && message.sender === this.view.device(at)) found.push(`${at}: ${inWords(message)} in the end`)
    return found
  }
}

/** By its number, under whatever id it came; one that was taken back has none any more. */
function isCopy(message: StoredMessage, { id, number }: ChaosSent): boolean {
  return message.direction === 'in' && (message.deletedAt === null ? numberOf(message) === number : message.id === id)
}
