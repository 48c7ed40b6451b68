/** `/skein/deliver/1`: deliveries one way, acknowledgements the other, any number in flight. */
import { SkeinError } from '../errors/index.ts'
import { type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { atMost, decode, encode } from './codec.ts'
import { DeliverFrame } from './gen/skein_pb.ts'
import { MAX_ACKNOWLEDGED } from './limits.ts'

export type DeliverFrameFields =
  | { readonly kind: 'delivery'; readonly id: MessageId; readonly seq: number; readonly sealed: Uint8Array }
  | { readonly kind: 'acknowledgement'; readonly ids: readonly MessageId[] }

export function encodeDelivery(delivery: { readonly id: MessageId; readonly seq: number; readonly sealed: Uint8Array }): Uint8Array {
  const value = { id: messageIdBytes(delivery.id), seq: delivery.seq, sealed: delivery.sealed }
  return encode(DeliverFrame, { kind: { $case: 'delivery', value } })
}

/** @param ids at most MAX_ACKNOWLEDGED */
export function encodeAcknowledgement(ids: readonly MessageId[]): Uint8Array {
  return encode(DeliverFrame, { kind: { $case: 'acknowledgement', value: { ids: ids.map(messageIdBytes) } } })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeDeliverFrame(bytes: Uint8Array): DeliverFrameFields {
  const { kind } = decode(DeliverFrame, bytes)
  if (kind?.$case === 'acknowledgement') {
    return { kind: 'acknowledgement', ids: atMost(kind.value.ids, MAX_ACKNOWLEDGED).map(messageIdFromBytes) }
  }
  if (kind?.$case !== 'delivery') throw new SkeinError('BAD_FRAME', 'A delivery frame is empty.')
  return { kind: 'delivery', id: messageIdFromBytes(kind.value.id), seq: kind.value.seq, sealed: kind.value.sealed }
}
