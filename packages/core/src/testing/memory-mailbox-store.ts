/** A mailbox in memory. */
import type { BoxState, BoxVerdict, MailboxStore, MailDeposit, MailQuery, StoredMail } from '../ports/mailbox-store.ts'
import { MAIL_OVERHEAD_BYTES } from '../mailbox/rules.ts'

interface Lying extends StoredMail {
  readonly tag: string
  readonly digest: string
  readonly expiresAt: number
}

const charge = ({ envelope }: { readonly envelope: Uint8Array }): number => envelope.length + MAIL_OVERHEAD_BYTES

export class MemoryMailboxStore implements MailboxStore {
  private mail: Lying[] = []
  private readonly allowances = new Map<string, number>()
  private readonly spent = new Map<string, number>()
  private readonly issued = new Map<string, number>()
  private last = 0
  /** Everything that ever lay here, as a curious operator would keep it. */
  readonly seen: Uint8Array[] = []

  async deposit(
    batch: readonly MailDeposit[],
    judge: (deposit: MailDeposit, state: BoxState) => BoxVerdict,
  ): Promise<readonly BoxVerdict[]> {
    return batch.map((deposit) => {
      const verdict = judge(deposit, this.stateFor(deposit))
      if (verdict.kind === 'store') this.put(deposit, verdict.allowance)
      return verdict
    })
  }

  async fetch({ tags, after, limit, maxBytes, now }: MailQuery): Promise<readonly StoredMail[]> {
    const wanted = new Set(tags)
    const found = this.mail.filter((each) => each.cursor > after && each.expiresAt > now && wanted.has(each.tag)).slice(0, limit)
    let bytes = 0
    const fitting = found.filter(({ envelope }, at) => {
      bytes += envelope.length + 16
      return bytes <= maxBytes || at === 0
    })
    return fitting.map(({ cursor, envelope }) => ({ cursor, envelope }))
  }

  async forget(tags: readonly string[], cursors: readonly number[]): Promise<void> {
    const [own, gone] = [new Set(tags), new Set(cursors)]
    this.mail = this.mail.filter(({ tag, cursor }) => !(own.has(tag) && gone.has(cursor)))
  }

  async grant(peer: string, day: number, { count, most }: { readonly count: number; readonly most: number }): Promise<number> {
    const key = `${peer} ${day}`
    const had = this.issued.get(key) ?? 0
    const granted = Math.max(0, Math.min(count, most - had))
    this.issued.set(key, had + granted)
    return granted
  }

  async sweep(now: number): Promise<void> {
    this.mail = this.mail.filter(({ expiresAt }) => expiresAt > now)
    for (const [nonce, until] of this.spent) if (until <= now) this.spent.delete(nonce)
  }

  async totals(): Promise<{ readonly envelopes: number; readonly bytes: number }> {
    return { envelopes: this.mail.length, bytes: this.mail.reduce((sum, each) => sum + charge(each), 0) }
  }

  /** Tokens that were taken and are remembered. */
  get spentCount(): number {
    return this.spent.size
  }

  /** Loses all that lies here, as a disk that was exchanged. */
  wipe(): void {
    this.mail = []
    this.allowances.clear()
    this.spent.clear()
  }

  private stateFor({ tag, digest, token }: MailDeposit): BoxState {
    const own = this.mail.filter((each) => each.tag === tag)
    return {
      known: own.some((each) => each.digest === digest.join()),
      spent: token !== undefined && this.spent.has(token.nonce.join()),
      allowance: this.allowances.get(tag) ?? 0,
      count: own.length,
      bytes: own.reduce((sum, each) => sum + charge(each), 0),
      totalBytes: this.mail.reduce((sum, each) => sum + charge(each), 0),
    }
  }

  private put({ tag, envelope, digest, expiresAt, token }: MailDeposit, allowance: number): void {
    const before = this.allowances.get(tag) ?? 0
    this.allowances.set(tag, allowance)
    if (token !== undefined && allowance > before) this.spent.set(token.nonce.join(), token.until)
    this.last += 1
    this.mail.push({ cursor: this.last, tag, envelope: envelope.slice(), digest: digest.join(), expiresAt })
    this.seen.push(envelope.slice())
  }
}
