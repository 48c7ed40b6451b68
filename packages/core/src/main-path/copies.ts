/** Copies of what one device of the account sends, for its other devices (DV10). */
import { messageIdFromBytes } from '../ids.ts'
import type { OutboxRow, StoredDevice } from '../ports/store.ts'
import { type ContentFields, encodeContent } from '../wire/content.ts'
import type { OwnWordFields } from '../wire/devices.ts'
import type { MainPath } from './context.ts'

export type SentWord = Extract<OwnWordFields, { kind: 'copy' }>

/** A content of its own around the copy of one: another id, as the copy is acknowledged by itself. */
export async function copyContent(
  { random, clock }: MainPath,
  word: SentWord,
  { hlcMs, hlcCounter }: Pick<ContentFields, 'hlcMs' | 'hlcCounter'>,
): Promise<{
  readonly id: OutboxRow['message']
  readonly encoded: Uint8Array
}> {
  // Most accounts have one device: who loads us over a network does not load this before it is needed.
  const { encodeOwnWord } = await import('../wire/devices.ts')
  const id = messageIdFromBytes(random.bytes(16))
  const body = { kind: 'own', own: encodeOwnWord(word) } as const
  return { id, encoded: encodeContent({ id, hlcMs, hlcCounter, createdAt: clock.now(), body }) }
}

/** Devices that get a copy: those to which something can be sealed; others ask for what they lack when they are met (DV12). */
export function copyTargets({ book }: MainPath): readonly StoredDevice[] {
  return book.ownDevices().filter(({ bundle }) => bundle.length > 0)
}
