/** Transfers that a command looks at until they are over. */
import type { ApiClient, ClientEvent, TransferView } from '@skein/node/api'
import { EXIT, type Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { isFinal } from './transfer-states.ts'
import { described, line } from './transfer-text.ts'

/** It needs the user: nothing moves by itself. */
const isStuck = ({ state, reason }: TransferView): boolean => state === 'paused' && reason !== null
/** What takes its place comes by itself. */
const isReplaced = ({ state, reason, offered_anew }: TransferView): boolean => state === 'failed' && (offered_anew || reason === 'replaced')
const hasEnded = (transfer: TransferView): boolean => isFinal(transfer) && !isReplaced(transfer)
const isOver = (transfer: TransferView): boolean => hasEnded(transfer) || isStuck(transfer)

type Take = (transfer: TransferView) => boolean

/** Prints transfers as they move on, until they are over. */
export class Following {
  private readonly api: Pick<ApiClient, 'events' | 'transfers'>
  private readonly output: Output
  private readonly progress: Progress
  private readonly shown = new Map<string, TransferView>()
  /** The last that was heard of each, followed or not: what a command answers may be older. */
  private readonly heard = new Map<string, TransferView>()
  private readonly closing = new AbortController()
  private change: () => void = () => undefined
  private failure: unknown

  constructor(api: Pick<ApiClient, 'events' | 'transfers'>, output: Output) {
    this.api = api
    this.output = output
    this.progress = createProgress(output.json)
  }

  /** The user has given up. */
  get signal(): AbortSignal {
    return this.closing.signal
  }

  /** Listens. @param take whether something new is to be followed too */
  async begin(take: Take = () => false): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => this.closing.abort())
    this.closing.signal.addEventListener('abort', () => this.change(), { once: true })
    const events = await this.open()
    void this.listen(events, take).catch((error: unknown) => {
      if (!this.closing.signal.aborted) this.fail(error)
    })
  }

  private open(): Promise<AsyncIterable<ClientEvent>> {
    return this.api.events(undefined, { signal: this.closing.signal })
  }

  /** The stream ends for who reads too slowly, as a command that was stopped: what was missed is looked up then. */
  private async listen(first: AsyncIterable<ClientEvent>, take: Take): Promise<void> {
    let events = first
    while (!this.closing.signal.aborted) {
      for await (const each of events) if (each.event === 'transfer') this.hear(withoutEvent(each), take)
      if (this.closing.signal.aborted) return
      events = await this.open()
      for (const each of (await this.api.transfers()).transfers.toReversed()) this.hear(each, take)
    }
  }

  private hear(transfer: TransferView, take: Take): void {
    this.heard.set(keyOf(transfer), transfer)
    if (this.shown.has(keyOf(transfer)) || take(transfer) || this.succeeds(transfer)) this.show(transfer)
  }

  /** It takes the place of one that is followed. */
  private succeeds({ direction, replaces }: TransferView): boolean {
    return replaces !== null && this.shown.has(keyOf({ direction, transfer: replaces }))
  }

  addAll(transfers: readonly TransferView[]): void {
    for (const each of transfers) this.add(each)
  }

  /** Follows it. */
  add(transfer: TransferView): void {
    this.show(this.heard.get(keyOf(transfer)) ?? transfer)
  }

  private show(transfer: TransferView): void {
    const known = this.shown.get(keyOf(transfer))
    if (known !== undefined && hasEnded(known)) return
    this.shown.set(keyOf(transfer), transfer)
    if (this.output.json) this.output.result(line(transfer), '')
    else this.progress.show(transfer, described(transfer))
    this.change()
  }

  fail(error: unknown): void {
    this.failure = error
    this.change()
  }

  /** @param ends `all` when everything is over, `first` when one is, `never` by itself @returns the exit code */
  async untilOver(timeout: number | undefined, ends: 'all' | 'first' | 'never' = 'all'): Promise<number> {
    const late = timeout === undefined ? undefined : setTimeout(() => this.closing.abort(), timeout)
    const all = (): readonly TransferView[] => this.current()
    const isEnough = (): boolean => (ends === 'all' ? all().every(isOver) : ends === 'first' && all().some(isOver))
    try {
      while (!isEnough() && this.failure === undefined && !this.closing.signal.aborted)
        await new Promise<void>((resolve) => (this.change = resolve))
      if (this.failure !== undefined) throw this.failure
      if (!isEnough() && (ends !== 'never' || !all().some(({ state }) => state === 'done'))) return EXIT.timedOut
      return all().some((each) => isOver(each) && each.state !== 'done') ? EXIT.failed : EXIT.done
    } finally {
      clearTimeout(late)
    }
  }

  /** Without those whose place another has taken. */
  private current(): readonly TransferView[] {
    const all = [...this.shown.values()]
    const before = new Set(all.flatMap(({ direction, replaces }) => (replaces === null ? [] : [keyOf({ direction, transfer: replaces })])))
    return all.filter((each) => !before.has(keyOf(each)))
  }

  /** The stream of events is not waited for: an end that meets an event may leave it open until the process goes. */
  end(): void {
    this.closing.abort()
    this.progress.stop()
  }
}

const keyOf = ({ transfer, direction }: Pick<TransferView, 'transfer' | 'direction'>): string => `${transfer} ${direction}`

function withoutEvent({ event: _event, ...transfer }: Extract<ClientEvent, { event: 'transfer' }>): TransferView {
  return transfer
}
