/** Deposits that come together share a transaction: one wait for the disk instead of one each. */
import type { Clock } from '../ports/clock.ts'
import type { BoxVerdict, MailDeposit, MailboxStore } from '../ports/mailbox-store.ts'
import { judgeDeposit, type MailboxLimits } from './rules.ts'

/** How long the first of a batch waits for others, milliseconds. */
const GATHER_MS = 2

/** @param totalBytes of all mail, with what goes with it */
type MayStore = (totalBytes: number) => boolean

interface Waiting {
  readonly deposit: MailDeposit
  readonly mayStore: MayStore
  resolve(verdict: BoxVerdict): void
  reject(error: unknown): void
}

export class DepositBatches {
  private readonly store: MailboxStore
  private readonly clock: Clock
  private readonly limits: MailboxLimits
  private waiting: Waiting[] = []
  private running = false

  constructor(store: MailboxStore, { clock, limits }: { readonly clock: Clock; readonly limits: MailboxLimits }) {
    this.store = store
    this.clock = clock
    this.limits = limits
  }

  /** Resolves when the deposit is durable or refused: also where it would be stored, and `mayStore` says no. @throws whatever the store throws */
  add(deposit: MailDeposit, mayStore: MayStore = () => true): Promise<BoxVerdict> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ deposit, mayStore, resolve, reject })
      if (!this.running) void this.run()
    })
  }

  private async run(): Promise<void> {
    this.running = true
    await this.clock.sleep(GATHER_MS)
    while (this.waiting.length > 0) await this.commit(this.waiting.splice(0))
    this.running = false
  }

  private async commit(batch: readonly Waiting[]): Promise<void> {
    const asked = new Map(batch.map(({ deposit, mayStore }) => [deposit, mayStore]))
    try {
      const verdicts = await this.store.deposit(
        batch.map(({ deposit }) => deposit),
        (deposit, state) => {
          const verdict = judgeDeposit(deposit, state, this.limits)
          const isOver = verdict.kind === 'store' && asked.get(deposit)?.(state.totalBytes) === false
          return isOver ? { kind: 'refuse', why: 'full' } : verdict
        },
      )
      for (const [at, { resolve }] of batch.entries()) resolve(verdicts[at] ?? { kind: 'refuse', why: 'full' })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
