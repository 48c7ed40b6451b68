// What goes over a link beside the bundles themselves, in bytes, as neighbours encode it.
import { encodeNeighbourFrame, MAX_PART_BYTES } from '@skein/core'

export const controlBytes = (frame) => encodeNeighbourFrame({ kind: 'control', frame }).length

/** Around a transfer: a large bundle is offered first and asked for, a small one comes at once, wanted or not. */
export function spokenBytes(bundle, outcome) {
  const isWelcome = outcome === 'welcome'
  const last = answerBytes(bundle, isWelcome ? 'taken' : outcome)
  if (bundle.bytes <= MAX_PART_BYTES) return isWelcome ? last : bundle.bytes + last
  return offerBytes(bundle) + last + (isWelcome ? answerBytes(bundle, outcome) : 0)
}

function offerBytes({ id, bytes, expiresAt, priority }) {
  const nothing = new Uint8Array(16)
  const head = { kind: 'envelope', deliveryTag: nothing, cureLock: nothing, expiryHour: Math.ceil(expiresAt / 3_600_000), priority }
  return encodeNeighbourFrame({ kind: 'offer', offer: { id, bytes, head, hops: 1, hopLimit: 64, copies: 1 } }).length
}

const answerBytes = ({ key }, outcome) => encodeNeighbourFrame({ kind: 'answer', key, outcome, offset: 0 }).length
