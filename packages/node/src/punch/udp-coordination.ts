/** Both sides of `/skein/punch/1`: each learns how the other's NAT behaves, and has proof of its address before it sends. */
import type { Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import {
  decodeUdpPunch,
  encodeUdpPunch,
  MAX_UDP_PUNCH_BYTES,
  type PunchRefusal,
  type UdpPunchFrame,
  type UdpPunchOfferFields,
} from '@skein/core'
import { MESSAGE_TIMEOUT_MS, SAY_NO_WITHIN_MS } from './constants.ts'
import { CannotPunch, refusedFor } from './broken-off.ts'
import { ForgedMessage } from './forged.ts'

export type Offer = UdpPunchOfferFields

export interface Agreement {
  readonly mine: Offer
  readonly theirs: Offer
}

export interface UdpCoordinated {
  readonly nonce: Uint8Array
  /** First STUN server of each of one's own relays, best first. */
  readonly stun: readonly string[]
  readonly signal: AbortSignal
  /**
   * What one's own NAT does, with proof of one's address for the other side's nonce: of one of these servers in common.
   * @throws CannotPunch when none helps
   */
  sample(stun: readonly string[], theirNonce: Uint8Array): Promise<Omit<Offer, 'nonce'>>
  /** Whether the relay confirms that the other side is where it says. */
  isProven(offer: Offer): Promise<boolean>
  /** Nothing is counted yet. @throws TriedEnough when its host has been sent to often enough */
  requireRoom(offer: Offer): void
  /** From now on packets may go there, which counts. @throws TriedEnough likewise */
  charge(agreement: Agreement): void
}

export type UdpMessages = ReturnType<typeof udpMessagesOn>

export function udpMessagesOn(stream: Stream, signal: AbortSignal) {
  const bytes = lpStream(stream, { maxDataLength: MAX_UDP_PUNCH_BYTES })
  const limited = (): { signal: AbortSignal } => ({ signal: AbortSignal.any([signal, AbortSignal.timeout(MESSAGE_TIMEOUT_MS)]) })
  return {
    write: (frame: UdpPunchFrame) => bytes.write(encodeUdpPunch(frame), limited()),
    read: async <K extends UdpPunchFrame['kind']>(kind: K): Promise<Extract<UdpPunchFrame, { kind: K }>> => {
      const frame = decodeUdpPunch((await bytes.read(limited())).subarray())
      if (frame.kind === 'no') throw refusedFor(frame.cause)
      if (frame.kind !== kind) throw new ForgedMessage(`expected ${kind} and got ${frame.kind}`)
      return frame as Extract<UdpPunchFrame, { kind: K }>
    },
  }
}

/** The last word on a stream. */
export async function sayNo(stream: Stream, cause: PunchRefusal): Promise<true> {
  const signal = AbortSignal.timeout(SAY_NO_WITHIN_MS)
  await lpStream(stream).write(encodeUdpPunch({ kind: 'no', cause }), { signal })
  await stream.close({ signal })
  return true
}

/** The side that was reached over the relay. @throws Error when there is no proof, no relay in common, or no answer */
export async function agree(messages: UdpMessages, self: UdpCoordinated): Promise<Agreement> {
  await messages.write({ kind: 'ask', nonce: self.nonce, stun: self.stun })
  const theirs = await messages.read('offer')
  if (!self.stun.includes(theirs.stun)) throw new ForgedMessage('another relay than those in common')
  // The messages may fail first, and then nobody waits for it.
  const proven = self.isProven(theirs)
  proven.catch(() => undefined)
  // The other side is told before it has counted this punch.
  self.requireRoom(theirs)
  const mine = { ...(await self.sample([theirs.stun], theirs.nonce)), nonce: self.nonce }
  await messages.write({ kind: 'offer', ...mine })
  await messages.read('go')
  if (!(await proven)) throw new ForgedMessage('the other side is not where it says')
  self.charge({ mine, theirs })
  await messages.write({ kind: 'go' })
  return { mine, theirs }
}

/** The side that dialled over the relay. @throws Error when there is no proof, no relay in common, or no answer */
export async function consent(messages: UdpMessages, self: UdpCoordinated): Promise<Agreement> {
  const ask = await messages.read('ask')
  const common = ask.stun.filter((each) => self.stun.includes(each))
  if (common.length === 0) throw new CannotPunch('no-relay', 'no relay in common')
  const mine = { ...(await self.sample(common, ask.nonce)), nonce: self.nonce }
  await messages.write({ kind: 'offer', ...mine })
  const theirs = await messages.read('offer')
  if (theirs.stun !== mine.stun || !(await self.isProven(theirs))) throw new ForgedMessage('the other side is not where it says')
  self.charge({ mine, theirs })
  await messages.write({ kind: 'go' })
  await messages.read('go')
  return { mine, theirs }
}
