import type { MessageStream, StreamMuxer, StreamMuxerFactory } from '@libp2p/interface'
import { yamux, type YamuxMuxerInit } from '@libp2p/yamux'
import { isPresumed, presume } from './presumed.ts'

/**
 * Yamux that takes no transport which has closed already, and drops frames for one that closes without a word. The
 * library's would stay open for ever on the former, and opens streams in a microtask: it throws there, where nobody can
 * catch it, and the whole process ends.
 */
export function guardedYamux(init?: YamuxMuxerInit): () => StreamMuxerFactory {
  const make = yamux(init)
  return () => {
    const factory = make()
    return { protocol: factory.protocol, createStreamMuxer: (transport) => presuming(factory.createStreamMuxer(guarded(transport))) }
  }
}

function presuming(muxer: StreamMuxer): StreamMuxer {
  const create = muxer.createStream.bind(muxer)
  muxer.createStream = async (options) => {
    const stream = await create(options)
    if (isPresumed(options?.protocol)) presume(stream, options.protocol)
    return stream
  }
  return muxer
}

/** @throws Error when the transport has closed: no close event will come for the muxer */
function guarded(transport: MessageStream): MessageStream {
  if (transport.status !== 'open') throw new Error('the connection closed while it was being opened')
  const send = transport.send.bind(transport)
  transport.send = (data) => {
    try {
      return send(data)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'StreamStateError') throw error
      return true
    }
  }
  return transport
}
