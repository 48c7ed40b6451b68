/** What this device shows a relay so as to be admitted: a token of its operator, or the proof of a member's invite. */
import {
  type AdmissionOutcome,
  type AdmissionRequestFrame,
  decodeAdmissionReply,
  type DeviceId,
  encodeAdmissionRequest,
  type Logger,
  type OpenOutcome,
  type ProtocolId,
} from '@skein/core'
import type { OpenOptions } from './channels.ts'
import { REQUEST_TIMEOUT_MS } from './constants.ts'
import { exchange } from './exchange.ts'

export const ADMISSION_PROTOCOL: ProtocolId = '/skein/admission/1'

export interface AdmissionDeps {
  readonly logger: Logger
  readonly stopping: AbortSignal
  open(device: DeviceId, protocol: ProtocolId, options: OpenOptions): Promise<OpenOutcome>
}

/**
 * Asks `relay` once. Never throws: a relay that admits everybody, or knows nothing of admission, is joined all the same,
 * and one that refuses says so again when a place is asked for.
 */
export async function askAdmission(
  { open, logger, stopping }: AdmissionDeps,
  relay: DeviceId,
  { request, via }: { readonly request: AdmissionRequestFrame; readonly via: string },
): Promise<AdmissionOutcome | undefined> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(REQUEST_TIMEOUT_MS)])
  try {
    const opened = await open(relay, ADMISSION_PROTOCOL, { signal, relays: [via] })
    const reply = opened.kind === 'open' ? await exchange(opened.channel, encodeAdmissionRequest(request), signal) : undefined
    const outcome = reply === undefined ? undefined : decodeAdmissionReply(reply)
    // A relay that admits everybody keeps no list of invites, and says so in the same way.
    const isWrong = outcome === 'full' || (outcome === 'refused' && request.kind !== 'register')
    if (isWrong) logger.warn('relay-refused-admission', { url: via, kind: request.kind, outcome })
    return outcome
  } catch (error) {
    logger.debug('admission-failed', { url: via, reason: String(error) })
    return undefined
  }
}
