import type { Handovers } from '../e2ee/handovers.ts'
import type { ContactCard, Identity } from '../identity/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Directory } from '../ports/directory.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoredContact } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import type { SignedBytes } from '../wire/signed.ts'
import type { Admissions } from './admissions.ts'
import type { AskedDevices } from './asked-devices.ts'
import type { ContactBook } from './contact-book.ts'
import type { OwnCard } from './own-card.ts'

/** What the contact protocol works with. */
export interface ContactDeps {
  readonly identity: Identity
  readonly primitives: Primitives
  readonly store: Store
  readonly swarm: Swarm
  readonly directory: Directory
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly book: ContactBook
  readonly admissions: Admissions
  readonly asked: AskedDevices
  readonly handovers: Handovers
  ownCard(): OwnCard
  /** A device has shown a card of our own account. @returns whether it is one of ours */
  onOwnCard(card: ContactCard, signed: SignedBytes): Promise<boolean>
  /** A list of our own account was found. */
  onOwnList(signed: SignedBytes): Promise<void>
  /** A contact is new or has changed. */
  onContact(contact: StoredContact): void
}

/** Compares without an early exit: the result does not show where two proofs differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.reduce((difference, byte, at) => difference | (byte ^ (b[at] ?? 0)), 0) === 0
}
