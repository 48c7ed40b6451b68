/** `/skein/admission/1`: what a device shows a relay that does not admit everybody. */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { AdmissionReply, AdmissionRequest } from './gen/admission_pb.ts'

/** Largest request, bytes; a token and its framing. */
export const MAX_ADMISSION_BYTES = 256
/** Longest relay token, characters. */
export const MAX_TOKEN_CHARS = 128
const PROOF_BYTES = 32

export type AdmissionRequestFrame =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'invite'; readonly proof: Uint8Array }
  | { readonly kind: 'register'; readonly hash: Uint8Array; readonly expiresAt: number }

const OUTCOMES = ['admitted', 'registered', 'refused', 'full'] as const
export type AdmissionOutcome = (typeof OUTCOMES)[number]

/** @throws SkeinError FRAME_TOO_LARGE */
export function encodeAdmissionRequest(request: AdmissionRequestFrame): Uint8Array {
  return encode(AdmissionRequest, { kind: toWire(request) }, MAX_ADMISSION_BYTES)
}

function toWire(request: AdmissionRequestFrame): AdmissionRequest['kind'] {
  switch (request.kind) {
    case 'token':
      return { $case: 'token', value: request.token }
    case 'invite':
      return { $case: 'invite', value: request.proof }
    case 'register':
      return { $case: 'register', value: { hash: request.hash, expiresAt: request.expiresAt } }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeAdmissionRequest(bytes: Uint8Array): AdmissionRequestFrame {
  const { kind } = decode(AdmissionRequest, bytes, MAX_ADMISSION_BYTES)
  switch (kind?.$case) {
    case 'token':
      if (kind.value === '' || kind.value.length > MAX_TOKEN_CHARS) throw new SkeinError('BAD_FRAME', 'A relay token has no such length.')
      return { kind: 'token', token: kind.value }
    case 'invite':
      return { kind: 'invite', proof: exactly(kind.value, PROOF_BYTES) }
    case 'register':
      return { kind: 'register', hash: exactly(kind.value.hash, PROOF_BYTES), expiresAt: kind.value.expiresAt }
    default:
      throw new SkeinError('BAD_FRAME', 'A request to be admitted shows nothing.')
  }
}

export function encodeAdmissionReply(outcome: AdmissionOutcome): Uint8Array {
  return encode(AdmissionReply, { outcome })
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeAdmissionReply(bytes: Uint8Array): AdmissionOutcome {
  const { outcome } = decode(AdmissionReply, bytes)
  const known = OUTCOMES.find((each) => each === outcome)
  if (known === undefined) throw new SkeinError('BAD_FRAME', 'A reply about admission has an unknown outcome.')
  return known
}
