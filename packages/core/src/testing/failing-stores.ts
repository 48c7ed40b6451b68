/** Stores that fail as machines and operators do: for chaos. */
import type { BoxState, BoxVerdict, MailDeposit, MailQuery, StoredMail } from '../ports/mailbox-store.ts'
import type { StoreWrite, WriteOutcome } from '../ports/store.ts'
import { MemoryMailboxStore } from './memory-mailbox-store.ts'
import { MemoryStore } from './memory-store.ts'

/** A store that dies at a commit, before or after it is applied: from then on nothing is answered, as of a process that is gone. */
export class CrashingStore extends MemoryStore {
  private armed: { left: number; readonly after: boolean; crash(): void } | undefined
  private dead = false

  /** Dies at the commit `left` commits from now. */
  arm(left: number, after: boolean, crash: () => void): void {
    this.armed = { left, after, crash }
  }

  override async commit(writes: readonly StoreWrite[]): Promise<readonly WriteOutcome[]> {
    if (this.dead) return new Promise(() => undefined)
    const { armed } = this
    if (armed === undefined || armed.left > 0) {
      if (armed !== undefined) armed.left -= 1
      return super.commit(writes)
    }
    if (armed.after) await super.commit(writes)
    this.dead = true
    armed.crash()
    return new Promise(() => undefined)
  }

  again(): CrashingStore {
    const store = new CrashingStore()
    store.takeFrom(this)
    return store
  }
}

/** What a mailbox does to mail that it has been given. */
export type MailHarm =
  | 'none'
  /** Says `stored`, and stores nothing. */
  | 'lies'
  /** Keeps to itself what it holds. */
  | 'withholds'
  /** Hands out everything twice. */
  | 'doubles'
  /** Hands out the newest first. */
  | 'reverses'

/** A mailbox that lies, withholds, or loses everything at once. */
export class FailingMailboxStore extends MemoryMailboxStore {
  harm: MailHarm = 'none'

  override deposit(
    batch: readonly MailDeposit[],
    judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict,
  ): Promise<readonly BoxVerdict[]> {
    if (this.harm !== 'lies') return super.deposit(batch, judge)
    const fresh: BoxState = { known: false, spent: false, allowance: 64, count: 0, bytes: 0, totalBytes: 0 }
    for (const { envelope } of batch) this.seen.push(envelope.slice())
    return Promise.resolve(batch.map((deposit) => judge(deposit, fresh)))
  }

  override async fetch(query: MailQuery): Promise<readonly StoredMail[]> {
    const found = this.harm === 'withholds' ? [] : await super.fetch(query)
    if (this.harm === 'doubles') return found.flatMap((each) => [each, each]).slice(0, query.limit)
    return this.harm === 'reverses' ? found.toReversed() : found
  }
}
