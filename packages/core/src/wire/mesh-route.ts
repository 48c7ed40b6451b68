/** Frames of bundles on their way while a path exists. */
import { hex } from '@scure/base'
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { RouteFrame } from './gen/mesh_pb.ts'
import { BUNDLE_KEY_BYTES, CURE_KEY_BYTES } from './mesh.ts'
import { MAX_NEIGHBOUR_FRAME_BYTES } from './mesh-bundle.ts'

export interface RouteForwardFields {
  readonly kind: 'forward'
  /** Hex, 16 digits. */
  readonly key: string
  readonly attempt: number
  readonly address: number
  /** Hex, 32 digits. */
  readonly lock: string
  readonly hopLimit: number
  readonly flood: boolean
  readonly payload: Uint8Array
}

export interface RouteReceiptFields {
  readonly kind: 'receipt'
  /** Hex, 16 digits. */
  readonly key: string
  readonly cureKey: Uint8Array
  readonly hops: number
  /** It answers a search and goes back the way that came. */
  readonly search: boolean
}

const NOTICES = ['here', 'wanted', 'surplus'] as const

export interface RouteNoticeFields {
  readonly kind: 'notice'
  /** Hex, 16 digits. */
  readonly key: string
  readonly says: (typeof NOTICES)[number]
}

export interface RouteSearchFields {
  readonly kind: 'search'
  /** Hex, 16 digits. */
  readonly key: string
  readonly attempt: number
  readonly hopLimit: number
}

export type RouteFrameFields = RouteForwardFields | RouteReceiptFields | RouteNoticeFields | RouteSearchFields

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeRouteFrame(frame: RouteFrameFields): Uint8Array {
  const key = hex.decode(frame.key)
  if (frame.kind === 'notice') return encode(RouteFrame, { body: { $case: 'notice', value: { key, kind: NOTICES.indexOf(frame.says) } } })
  if (frame.kind === 'search') return encode(RouteFrame, { body: { $case: 'search', value: { ...frame, key } } })
  if (frame.kind === 'receipt')
    return encode(RouteFrame, { body: { $case: 'receipt', value: { ...frame, key } } }, MAX_NEIGHBOUR_FRAME_BYTES)
  return encode(
    RouteFrame,
    { body: { $case: 'forward', value: { ...frame, key, cureLock: hex.decode(frame.lock) } } },
    MAX_NEIGHBOUR_FRAME_BYTES,
  )
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeRouteFrame(bytes: Uint8Array): RouteFrameFields {
  const { body } = decode(RouteFrame, bytes, MAX_NEIGHBOUR_FRAME_BYTES)
  if (body === undefined) throw new SkeinError('BAD_FRAME', 'A frame between neighbours is of an unknown kind.')
  const key = hex.encode(exactly(body.value.key, BUNDLE_KEY_BYTES))
  if (body.$case === 'notice') {
    const says = NOTICES[body.value.kind]
    if (says === undefined) throw new SkeinError('BAD_FRAME', 'A notice is of an unknown kind.')
    return { kind: 'notice', key, says }
  }
  if (body.$case === 'search') return { kind: 'search', key, attempt: body.value.attempt, hopLimit: body.value.hopLimit }
  if (body.$case === 'receipt') {
    const { cureKey, hops, search } = body.value
    return { kind: 'receipt', key, cureKey: exactly(cureKey, CURE_KEY_BYTES), hops, search }
  }
  const { attempt, address, cureLock, hopLimit, flood, payload } = body.value
  return { kind: 'forward', key, attempt, address, lock: hex.encode(exactly(cureLock, CURE_KEY_BYTES)), hopLimit, flood, payload }
}
