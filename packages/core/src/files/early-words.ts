/** What is said of offers that have not come yet: who appears says at once how an offer has ended, and the offer comes after it. */
import type { AccountId, MessageId } from '../ids.ts'
import { MAX_EARLY } from './limits.ts'
import type { Outcome } from './serving.ts'

export class EarlyWords {
  private readonly words = new Map<string, Outcome>()

  /** Kept in memory alone, the latest: nobody confirms it, so that it is said again. */
  keep(account: AccountId, outcome: Outcome): void {
    this.words.set(keyOf(account, outcome.id), outcome)
    const oldest = this.words.keys().next().value
    if (this.words.size > MAX_EARLY && oldest !== undefined) this.words.delete(oldest)
  }

  /** What was said of an offer that has come now. */
  take(account: AccountId, id: MessageId): Outcome | undefined {
    const key = keyOf(account, id)
    const outcome = this.words.get(key)
    this.words.delete(key)
    return outcome
  }
}

const keyOf = (account: AccountId, id: MessageId): string => `${account} ${id}`
