/** What a store needs of the database below it, whichever that is. */
import type { Clock } from '@skein/core'
import type { AnyDatabase } from './queries.ts'
import type { RowSeal } from './row-seal.ts'
import type { UseMark } from './use-count.ts'

/** SQL function that every driver has before migrations run: a text as the search's index is to have it. */
export const SEARCH_TEXT = 'search_text'

/** What begins and ends a transaction. */
export type Bracket = 'BEGIN IMMEDIATE' | 'COMMIT' | 'ROLLBACK'

export interface StoreDriver {
  readonly db: AnyDatabase
  /** Calls back when the events at hand have been handled, so that their commits can share a transaction. */
  afterTurn(work: () => void): void
  /** Runs a bracket, prepared once: each statement that is made anew slows down all others until it is collected. */
  readonly bracket?: (statement: Bracket) => void
  /** For a database that COMMIT alone does not make durable: resolves when what was committed is; rejects when it was taken back. */
  readonly afterCommit?: () => Promise<void>
  /** A failure of the database as one of ours. */
  explain(error: unknown): unknown
  close(): Promise<void> | void
}

export interface StoreParts {
  readonly seal: RowSeal
  readonly mark: UseMark
  readonly clock: Pick<Clock, 'sleep'>
  /** Whether the database is an old copy that was put back; its sessions have been removed. */
  readonly restored: boolean
}
