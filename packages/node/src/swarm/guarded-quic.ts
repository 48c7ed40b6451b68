/**
 * QUIC as a relay needs it. The library (2.1) lets one handshake end before it takes the next one, so that whoever sends a
 * single datagram and nothing more keeps everybody out for ten seconds; here many are under way, and those that come to
 * nothing are counted. And it goes on reading a stream that is paused, until that breaks; here it is left to QUIC's window.
 */
import type { QuicOptions } from '@chainsafe/libp2p-quic'
import type { Listener, MultiaddrConnection, Stream, StreamMuxerFactory, Transport } from '@libp2p/interface'
import type { RelayRules } from './circuit/rules.ts'
import type { loadQuic } from './late-quic.ts'
import { HeldConnection, type NativeConnection } from './held-quic.ts'

/** Under way at once, of all together: where one comes from is known when it is through. Each takes 2.5 KB while it waits. */
const HANDSHAKES = 1_024
/** What one stream, and all of one connection, may have under way, bytes: the library would keep 15 MB of a connection. */
const WINDOWS = { maxStreamData: 1_048_576, maxConnectionData: 4_194_304 }

type Quic = NonNullable<Awaited<ReturnType<typeof loadQuic>>>
type Components = Parameters<ReturnType<Quic>>[0]

interface Upgrading {
  readonly muxerFactory: StreamMuxerFactory
}

interface Upgrades {
  upgradeInbound(beneath: MultiaddrConnection, options: Upgrading): Promise<void>
}

/** What the library's listener has; not in its types. */
interface OfQuic {
  readonly options: { readonly upgrader: Upgrades }
  readonly state: {
    readonly listener: { inboundConnection(): Promise<NativeConnection> }
    readonly controller: AbortController
  }
  awaitInboundConnections(): Promise<void>
  onInboundConnection(connection: HeldConnection): Promise<void>
}

/** Takes the place of `quic()` wherever something listens. */
export function guardedQuic(
  quic: Quic,
  rules: Pick<RelayRules, 'onRefused'>,
  options: Partial<QuicOptions> = {},
): (components: Components) => Transport {
  return (components) => {
    const transport = quic({ ...WINDOWS, ...options })(components)
    const createListener = transport.createListener.bind(transport)
    return Object.assign(transport, {
      createListener: (wanted: Parameters<typeof createListener>[0]) =>
        guard(createListener(wanted), () => rules.onRefused('handshake', 'failed')),
    })
  }
}

function guard(listener: Listener, onFailed: () => void): Listener {
  const guarded = listener as unknown as OfQuic
  const takeOneByOne = async (): Promise<void> => {
    const { listener: server, controller } = guarded.state
    while (!controller.signal.aborted) {
      try {
        enter(guarded, new HeldConnection(await server.inboundConnection()))
      } catch (error) {
        if (controller.signal.aborted || String(error).includes('server closed')) return
        onFailed()
      }
    }
  }
  guarded.awaitInboundConnections = async () => void (await Promise.all(Array.from({ length: HANDSHAKES }, takeOneByOne)))
  return listener
}

/** As the library goes on, with streams that can be paused. */
function enter(listener: OfQuic, connection: HeldConnection): void {
  const { upgrader } = listener.options
  const pausing: Upgrades = {
    upgradeInbound: (beneath, options) =>
      upgrader.upgradeInbound(beneath, { ...options, muxerFactory: pausable(options.muxerFactory, connection) }),
  }
  const view: OfQuic = Object.create(listener, { options: { value: { ...listener.options, upgrader: pausing } } })
  view.onInboundConnection(connection).catch(() => connection.abort())
}

function pausable(factory: StreamMuxerFactory, connection: HeldConnection): StreamMuxerFactory {
  return {
    protocol: factory.protocol,
    createStreamMuxer: (beneath) => {
      const muxer = factory.createStreamMuxer(beneath)
      const create = muxer.createStream.bind(muxer)
      muxer.addEventListener('stream', ({ detail }) => void connection.onStream(detail))
      return Object.assign(muxer, {
        createStream: async (options: Parameters<typeof create>[0]): Promise<Stream> => connection.onStream(await create(options)),
      })
    },
  }
}
