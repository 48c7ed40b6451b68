/**
 * libp2p's WebRTC, with a door for offers: the candidates in one are addresses that this machine sends packets to, so only
 * whoever may have holes punched may make one (PT5).
 */
import type { Connection, StreamHandler, Transport } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { webRTC } from '@libp2p/webrtc'
import type { DeviceId } from '@skein/core'
import { deviceOf } from './connections.ts'

type Components = Parameters<ReturnType<typeof webRTC>>[0]

export interface OfferRules {
  mayOffer(device: DeviceId): boolean
  /** The device has offered, and no connection has come of it. */
  onFailed(device: DeviceId): void
}

export function guardedWebRTC(init: Parameters<typeof webRTC>[0], rules: OfferRules): (components: Components) => Transport {
  return (components) => {
    const handle: Registrar['handle'] = (protocol, handler, options) =>
      components.registrar.handle(protocol, doorFor(handler, rules), options)
    const registrar: Registrar = Object.create(components.registrar, { handle: { value: handle } })
    return webRTC(init)(Object.create(components, { registrar: { value: registrar } }))
  }
}

function doorFor(handler: StreamHandler, { mayOffer, onFailed }: OfferRules): StreamHandler {
  return (stream, connection: Connection) => {
    const device = deviceOf(connection.remotePeer)
    if (device === undefined || !mayOffer(device)) return stream.abort(new Error('not for this device'))
    // Where a connection has come of it both sides close it in order; with the circuit it ends untried.
    const onClose = ({ error }: { error?: Error }): unknown => error && connection.status === 'open' && onFailed(device)
    stream.addEventListener('close', onClose, { once: true })
    return handler(stream, connection)
  }
}
