/** Both sides of `/libp2p/dcutr` on a stream over the relay: where each is seen, and the instant at which both dial. */
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { type Clock, decodeDcutr, type DcutrFrame, encodeDcutr, MAX_DCUTR_BYTES } from '@skein/core'
import { ATTEMPTS, MESSAGE_TIMEOUT_MS } from './constants.ts'
import { ForgedMessage } from './forged.ts'

export const DCUTR_PROTOCOL = '/libp2p/dcutr'

export interface Coordinated {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Where this side is seen, multiaddrs in binary form. */
  seenAs(): Promise<readonly Uint8Array[]>
  /** Nothing is counted yet, on either side. @throws TriedEnough when nothing there may be dialled now */
  requireRoom(addresses: readonly Uint8Array[]): void
  /**
   * Dials the other side where it is seen. Resolves `true` when a connection has come of it.
   * @param roundTrip what a message and its answer have just taken, ms
   */
  dial(addresses: readonly Uint8Array[], roundTrip: number): Promise<boolean>
}

/**
 * The side that was reached over the relay begins; it dials half a round trip after it has said so.
 * @returns whether a connection has come of it
 * @throws Error when the stream ends or the other side speaks wrongly
 */
export async function coordinate(stream: Stream, { clock, signal, ...self }: Coordinated): Promise<boolean> {
  const messages = messagesOn(stream, signal)
  for (let attempts = 0; attempts < ATTEMPTS && !signal.aborted; attempts += 1) {
    const addresses = await self.seenAs()
    const asked = clock.monotonic()
    await messages.write({ kind: 'connect', addresses })
    const theirs = await messages.read('connect')
    const roundTrip = clock.monotonic() - asked
    self.requireRoom(theirs)
    await messages.write({ kind: 'sync' })
    await clock.sleep(roundTrip / 2, { signal })
    if (await self.dial(theirs, roundTrip)) return true
  }
  return false
}

/**
 * The side that dialled over the relay answers, and dials as soon as it is told to.
 * @returns whether a connection has come of it
 * @throws Error when the stream ends or the other side speaks wrongly
 */
export async function follow(stream: Stream, { clock, signal, ...self }: Coordinated): Promise<boolean> {
  const messages = messagesOn(stream, signal)
  for (let attempts = 0; attempts < ATTEMPTS && !signal.aborted; attempts += 1) {
    const theirs = await messages.read('connect')
    self.requireRoom(theirs)
    await messages.write({ kind: 'connect', addresses: await self.seenAs() })
    const answered = clock.monotonic()
    await messages.read('sync')
    if (await self.dial(theirs, clock.monotonic() - answered)) return true
  }
  return false
}

function messagesOn(stream: Stream, signal: AbortSignal) {
  const bytes = lpStream(stream, { maxDataLength: MAX_DCUTR_BYTES })
  const limited = (): { signal: AbortSignal } => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)]) })
  return {
    write: (frame: DcutrFrame) => bytes.write(encodeDcutr(frame), limited()),
    read: async (kind: DcutrFrame['kind']): Promise<readonly Uint8Array[]> => {
      const frame = decodeDcutr((await bytes.read(limited())).subarray())
      if (frame.kind !== kind) throw new ForgedMessage(`expected ${kind} and got ${frame.kind}`)
      return frame.kind === 'connect' ? frame.addresses : []
    },
  }
}
