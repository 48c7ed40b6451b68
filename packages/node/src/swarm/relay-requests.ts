/** Protocols of the relay's own: one request and one answer, or a channel for as many as are asked. */
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import type { Channel, Logger } from '@skein/core'
import { type Caller, callerOf } from './circuit/caller.ts'
import { deviceOf } from './connections.ts'
import { asError, StreamChannel } from './framing.ts'
import { type Offence, offenceOf } from './offences.ts'

/** Time for one request and its reply, ms. */
const REQUEST_TIMEOUT_MS = 10_000

/** @throws Error to cut the asker off without an answer */
export type AnswerRequest = (from: Caller, request: Uint8Array) => Uint8Array

export interface Served {
  readonly logger: Logger
  /** Somebody has asked for nothing that can be answered. */
  onOffence(what: Offence): void
}

export function serveRequests(answer: AnswerRequest, maxDataLength: number, { logger, onOffence }: Served) {
  return async (stream: Stream, connection: Connection): Promise<void> => {
    try {
      const frames = lpStream(stream, { maxDataLength })
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
      const request = await frames.read({ signal })
      await frames.write(answer(callerOf(connection), request.subarray()), { signal })
      await stream.close({ signal })
    } catch (error) {
      const offence = offenceOf(error)
      if (offence !== undefined) onOffence(offence)
      logger.debug('request-failed', { reason: String(error) })
      stream.abort(asError(error))
    }
  }
}

export function serveChannels(handler: (channel: Channel, from: Caller) => Promise<void>, { logger, onOffence }: Served) {
  return async (stream: Stream, connection: Connection): Promise<void> => {
    const device = deviceOf(connection.remotePeer)
    if (device === undefined) return stream.abort(new Error('refused'))
    const events = {
      onFrame: () => undefined,
      onOffence: (code: 'FRAME_TOO_LARGE' | 'BAD_FRAME') => onOffence(code === 'BAD_FRAME' ? 'malformed' : 'size'),
    }
    await handler(new StreamChannel(stream, device, events), callerOf(connection)).catch((error: unknown) => {
      logger.warn('channel-failed', { reason: String(error), code: (error as { readonly code?: string } | undefined)?.code ?? 'unknown' })
      stream.abort(asError(error))
    })
  }
}
