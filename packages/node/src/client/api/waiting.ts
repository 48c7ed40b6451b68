/** Waiting for a message to reach a state. */
import { type Clock, type Messenger, type MessageId, type MessageState, SkeinError, type StoredMessage } from '@skein/core'
import type { WaitState } from './contract.ts'

const RANK: Readonly<Record<MessageState, number>> = { failed: -1, queued: 0, carried: 1, delivered: 2, read: 3 }

export interface WaitWish {
  readonly state: WaitState
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** Resolves when the message is in the wanted state or a later one, has failed, or the time is up. @throws SkeinError MESSAGE_UNKNOWN */
export async function waitFor(
  messenger: Messenger,
  clock: Clock,
  { id, wish }: { id: MessageId; wish: WaitWish },
): Promise<{ message: StoredMessage; timedOut: boolean }> {
  const enough = (message: StoredMessage): boolean => message.state === 'failed' || RANK[message.state] >= RANK[wish.state]
  const over = new AbortController()
  wish.signal?.addEventListener('abort', () => over.abort(), { once: true })
  // Listens before it looks: a change in between is not missed.
  const stopListening = messenger.listen(
    (event) => event.kind === 'state' && event.message.id === id && enough(event.message) && over.abort(),
  )
  try {
    const now = await known(messenger, id)
    if (enough(now)) return { message: now, timedOut: false }
    await clock.sleep(wish.timeout, { signal: over.signal })
    const then = await known(messenger, id)
    return { message: then, timedOut: !enough(then) }
  } finally {
    stopListening()
    over.abort()
  }
}

async function known(messenger: Messenger, id: MessageId): Promise<StoredMessage> {
  const message = await messenger.message(id)
  if (message === null) throw new SkeinError('MESSAGE_UNKNOWN', 'There is no message with this id.')
  return message
}
