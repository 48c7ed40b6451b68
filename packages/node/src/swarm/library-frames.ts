/**
 * What comes on streams of the library's own protocols and is nothing (RL21). The library ends such a stream, or drops what it
 * cannot read, and tells only its log, which nobody reads here; here a relay hears of it. And one stream may bring so much and no
 * more: the library's ping keeps what it has not yet sent back, without a bound.
 */
import type { GossipSub } from '@libp2p/gossipsub'
import type { Identify } from '@libp2p/identify'
import type { Connection, PeerId, Stream, StreamHandler, StreamMuxer } from '@libp2p/interface'
import type { Registrar } from '@libp2p/interface-internal'
import { type Offence, offenceOf, whyUnread } from './offences.ts'

/** All that one stream may say, bytes: a question to the DHT and its record are 5 KB, all messages of one identify 80 KB; the DHT reads messages of 4 MiB. */
const MAX_STREAM_BYTES = 98_304

type OnOffence<Why extends string = Offence> = (why: Why) => void
interface Registering {
  readonly registrar: Registrar
}

/** `handle`, which cuts off whoever says too much on one stream, and tells of what it cannot read. */
export function watched(handle: StreamHandler, onOffence: OnOffence): StreamHandler {
  return (stream, connection) => {
    let left = MAX_STREAM_BYTES
    const handled = Promise.resolve(handle(stream, connection))
    handled.catch((error: unknown) => {
      const why = whyUnread(error, stream, connection)
      if (why !== undefined) onOffence(why)
    })
    // After the library's own: the first listener is given what has come before.
    stream.addEventListener('message', ({ data }) => {
      left -= data.byteLength
      if (left >= 0 || stream.status !== 'open') return
      onOffence('size')
      stream.abort(new Error('too much on one stream'))
    })
    return handled
  }
}

/** A service of the library's whose handlers are watched. */
export function watchedService<Components extends Registering, Made>(
  make: (components: Components) => Made,
  onOffence: OnOffence,
): (components: Components) => Made {
  return (components) => {
    const { registrar } = components
    const handle: Registrar['handle'] = (protocol, handler, options) => registrar.handle(protocol, watched(handler, onOffence), options)
    const watching = Object.create(registrar, { handle: { value: handle } }) as Registrar
    return make(Object.create(components, { registrar: { value: watching } }) as Components)
  }
}

/** As `watchedService`, and of whoever has come in what it answers when it is asked who it is. */
export function watchedIdentify<Components extends Registering>(
  make: (components: Components) => Identify,
  onOffence: OnOffence,
): (components: Components) => Identify {
  const watching = watchedService(make, onOffence)
  return (components) => {
    const service = watching(components)
    const ask = service.identify.bind(service)
    service.identify = async (connection, options) => {
      try {
        return await ask(connection, options)
      } catch (error) {
        const why = whyUnread(error, { status: 'open' }, connection)
        if (why !== undefined) onOffence(why)
        throw error
      }
    }
    return service
  }
}

/** What the library's connection has; not in its types. */
interface Muxed {
  readonly muxer?: StreamMuxer | undefined
}

/** Tells of streams on which no protocol is named, or none that can be read, and of those that are too many. As soon as the connection is there. */
export function watchAgreement(connection: Connection, onOffence: OnOffence<Offence | 'streams'>): void {
  ;(connection as Muxed).muxer?.addEventListener('stream', ({ detail: stream }) => {
    stream.addEventListener('close', ({ error }) => {
      const why = stream.protocol === '' ? whyUnread(error, stream, connection) : undefined
      if (why !== undefined) onOffence(why)
      if (error?.name === 'TooManyInboundProtocolStreamsError') onOffence('streams')
    })
  })
}

/** What `@libp2p/gossipsub` 17 holds; only `streamsOutbound` is in its types. */
interface Inside {
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>
  decodeRpc(bytes: Uint8Array): unknown
  handlePeerReadStreamError(error: unknown, peer: PeerId): void
  createOutboundStream(peer: PeerId, connection: Connection): Promise<void>
}

/** Tells of frames that gossip cannot read, and of peers that do not take what is passed on to them. Before it is started. */
export function watchedGossip(gossip: GossipSub, onOffence: OnOffence<Offence | 'unread'>): GossipSub {
  const inside = gossip as unknown as Inside
  const decode = inside.decodeRpc.bind(gossip)
  inside.decodeRpc = (bytes) => {
    try {
      return decode(bytes)
    } catch (error) {
      onOffence(offenceOf(error) ?? 'malformed')
      throw error
    }
  }
  const onReadError = inside.handlePeerReadStreamError.bind(gossip)
  inside.handlePeerReadStreamError = (error, peer) => {
    const why = offenceOf(error)
    // Nobody has to say anything in time: that is the connection's end.
    if (why !== undefined && why !== 'timeout') onOffence(why)
    onReadError(error, peer)
  }
  watchOutbound(inside, () => onOffence('unread'))
  return gossip
}

function watchOutbound(inside: Inside, onUnread: () => void): void {
  const open = inside.createOutboundStream.bind(inside)
  const known = new WeakSet<Stream>()
  inside.createOutboundStream = async (peer, connection) => {
    await open(peer, connection)
    const stream = inside.streamsOutbound.get(peer.toString())?.rawStream
    if (stream === undefined || known.has(stream)) return
    known.add(stream)
    stream.addEventListener('close', ({ error }) => {
      if (error?.name === 'StreamBufferError' && error.message.startsWith('Write')) onUnread()
    })
  }
}
