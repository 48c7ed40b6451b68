/** Channels of our protocols over whatever connection there is. */
import type { Connection, Stream } from '@libp2p/interface'
import type { Channel, DeviceId, Logger, OpenOutcome, ProtocolId } from '@skein/core'
import { orAborted } from './abandon.ts'
import { deviceOf } from './connections.ts'
import { MAX_STREAMS, STREAM_TIMEOUT_MS } from './constants.ts'
import { type Dialler, isClosing, reasonOf } from './dialling.ts'
import { asError, type ChannelEvents, StreamChannel } from './framing.ts'
import type { Stack } from './client-stack.ts'

export type ChannelHandler = (channel: Channel) => Promise<void>

export interface ChannelsDeps {
  readonly stack: Stack
  readonly dialler: Dialler
  readonly logger: Logger
  readonly stopping: AbortSignal
  isRefused(device: DeviceId): boolean
  /** Something of the device has arrived over this connection. */
  onSign(device: DeviceId, connection: Connection): void
  onOffence(device: DeviceId, code: string): void
}

export interface OpenOptions {
  readonly relays?: readonly string[]
  readonly signal?: AbortSignal
}

export class Channels {
  private readonly deps: ChannelsDeps
  /** libp2p registers asynchronously; serving and not serving the same protocol must not overtake one another. */
  private registered: Promise<void> = Promise.resolve()

  constructor(deps: ChannelsDeps) {
    this.deps = deps
  }

  async open(device: DeviceId, protocol: ProtocolId, options: OpenOptions = {}): Promise<OpenOutcome> {
    const { stopping } = this.deps
    if (stopping.aborted) return absent('stopped')
    if (this.deps.isRefused(device)) return absent('refused')
    const signal = AbortSignal.any([stopping, ...(options.signal === undefined ? [] : [options.signal])])
    try {
      return { kind: 'open', channel: await this.tryOpen(device, protocol, { relays: options.relays ?? [], signal }) }
    } catch (error) {
      this.deps.logger.debug('open-failed', { device, protocol, reason: String(error) })
      if (stopping.aborted) return absent('stopped')
      return absent(signal.aborted ? 'timed-out' : reasonOf(error))
    }
  }

  /** Serves `protocol` from now on. */
  serve(protocol: ProtocolId, handler: ChannelHandler): void {
    const options = { runOnLimitedConnection: true, maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS, force: true } as const
    this.register(() => this.deps.stack.handle(protocol, (stream, connection) => this.receive(stream, connection, handler), options))
  }

  /** Serves `protocol` from now on, with streams as libp2p has them. */
  serveStreams(protocol: ProtocolId, take: (stream: Stream, device: DeviceId) => void): void {
    const receive = (stream: Stream, { remotePeer }: Connection): void => {
      const device = deviceOf(remotePeer)
      if (device === undefined || this.deps.isRefused(device)) stream.abort(new Error('refused'))
      else take(stream, device)
    }
    this.register(() => this.deps.stack.handle(protocol, receive, { force: true, maxInboundStreams: MAX_STREAMS }))
  }

  /** A stream as libp2p has it, on the connection that stands. */
  async openStream(device: DeviceId, protocol: ProtocolId, signal: AbortSignal): Promise<Stream | undefined> {
    const connection = this.deps.dialler.standing(device)
    return connection?.newStream(protocol, { signal: AbortSignal.any([signal, this.deps.stopping]) }).catch(() => undefined)
  }

  unserve(protocol: ProtocolId): void {
    this.register(() => this.deps.stack.unhandle(protocol))
  }

  /** Resolves when everything served so far can be reached. */
  settled(): Promise<void> {
    return this.registered
  }

  private register(change: () => Promise<void>): void {
    this.registered = this.registered
      .then(change)
      .catch((error: unknown) => this.deps.logger.error('register-failed', { reason: String(error) }))
  }

  private async tryOpen(device: DeviceId, protocol: ProtocolId, { relays, signal }: Required<OpenOptions>): Promise<Channel> {
    const connection = await orAborted(this.deps.dialler.connect(device, relays), signal)
    try {
      return await this.openOn(connection, { device, protocol, signal })
    } catch (error) {
      // Once more when the connection was closing under us (notes/nat.md §7 no. 10).
      if (!isClosing(error)) throw error
      const other = await orAborted(this.deps.dialler.connect(device, relays), signal)
      return this.openOn(other, { device, protocol, signal })
    }
  }

  /** On exactly this connection: `dialProtocol` does not use a relayed one and dials for 10 s instead (T6). */
  private async openOn(
    connection: Connection,
    want: { readonly device: DeviceId; readonly protocol: ProtocolId; readonly signal: AbortSignal },
  ): Promise<Channel> {
    const signal = AbortSignal.any([want.signal, AbortSignal.timeout(STREAM_TIMEOUT_MS)])
    const stream = await connection.newStream(want.protocol, { signal, runOnLimitedConnection: true, maxOutboundStreams: MAX_STREAMS })
    return new StreamChannel(stream, want.device, this.eventsOf(want.device, connection))
  }

  private receive(stream: Stream, connection: Connection, handler: ChannelHandler): void {
    const device = deviceOf(connection.remotePeer)
    if (device === undefined || this.deps.isRefused(device)) {
      stream.abort(new Error('refused'))
      return
    }
    const channel = new StreamChannel(stream, device, this.eventsOf(device, connection))
    this.deps.onSign(device, connection)
    Promise.resolve()
      .then(() => handler(channel))
      .catch((error: unknown) => {
        this.deps.logger.warn('handler-failed', { device, protocol: stream.protocol, reason: String(error) })
        stream.abort(asError(error))
      })
  }

  private eventsOf(device: DeviceId, connection: Connection): ChannelEvents {
    return { onFrame: () => this.deps.onSign(device, connection), onOffence: (code) => this.deps.onOffence(device, code) }
  }
}

function absent(reason: 'no-route' | 'refused' | 'timed-out' | 'stopped'): OpenOutcome {
  return { kind: 'absent', reason }
}
