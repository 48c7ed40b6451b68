/** Deleting a conversation: its messages, what was said about them, what is on its way, and its transfers (MK12). */
import { type ClearMark, clearMarkWrite, reaches } from '../contacts/index.ts'
import { isSkeinError } from '../errors/index.ts'
import type { AccountId, MessageId } from '../ids.ts'
import type { Store, StoredMessage } from '../ports/store.ts'

export interface ClearingDeps {
  readonly store: Store
  /** What is on its way, and giving it up. */
  readonly deliveries: {
    outbox(): Promise<readonly { readonly contact: AccountId; readonly message: MessageId }[]>
    cancel(id: MessageId): Promise<StoredMessage>
  }
  /** Forgets all transfers from and to a contact. */
  clearFiles(account: AccountId): Promise<void>
}

/** Deletes all that is known of a conversation up to `mark`, durably; its contact stays. @throws SkeinError of the store and of files */
export async function clearConversation(deps: ClearingDeps, account: AccountId, mark: ClearMark): Promise<void> {
  await giveUpUnsent(deps, account, mark)
  await deps.clearFiles(account)
  await deps.store.commit([{ kind: 'conversation.clear', contact: account, ...mark }, clearMarkWrite(account, mark)])
}

async function giveUpUnsent({ store, deliveries }: ClearingDeps, account: AccountId, mark: ClearMark): Promise<void> {
  // What is listed is bounded: behind what was given up there may be more.
  for (let givenUp = 1; givenUp > 0; ) {
    givenUp = 0
    const waiting = (await deliveries.outbox()).filter(({ contact }) => contact === account)
    for (const id of new Set(waiting.map(({ message }) => message))) {
      if (!(await isGivenUp(store, id, mark))) continue
      if (await giveUp(deliveries, id)) givenUp += 1
    }
  }
}

/** What was taken back, the other side is to lose: that goes on its way. */
async function isGivenUp(store: Store, id: MessageId, mark: ClearMark): Promise<boolean> {
  const message = await store.message(id, 'out')
  if (message !== null) return reaches(mark, message)
  const said = await store.annotation(id)
  return said !== null && said.kind !== 'deletion' && reaches(mark, said)
}

/** @returns whether it was still on its way */
async function giveUp(deliveries: ClearingDeps['deliveries'], id: MessageId): Promise<boolean> {
  try {
    await deliveries.cancel(id)
    return true
  } catch (error) {
    // Delivered in between, or nothing is sent from this device any more.
    if (isSkeinError(error, 'MESSAGE_UNKNOWN') || isSkeinError(error, 'STORE_CLOSED')) return false
    throw error
  }
}
