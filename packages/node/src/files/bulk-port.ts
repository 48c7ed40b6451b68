/** Core's BulkPort on raw connections of the swarm. */
import type { BulkLink, BulkPort } from '@skein/core'
import type { BulkConnection } from '../bulk/bulk-connection.ts'
import { handleDataChannels, openDataChannel, type StreamSwarm } from '../bulk/data-channels.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'

const PURPOSE = 'files'
/** To open one, milliseconds: both sides may have to try, while chunks come on a channel. */
const OPEN_WITHIN_MS = 15_000

/** Sealed bytes on their way on a data channel: WebRTC does not make a sender wait for a receiver. */
const DATA_CHANNEL_WINDOW_BYTES = 8_388_608

/** By TCP where that can be had, else on a data channel of its own where WebRTC connects the two. */
export function bulkPortOn(swarm: Pick<Libp2pSwarm, 'openBulk' | 'handleBulk'> & StreamSwarm): BulkPort {
  return {
    open: async (device, { mayRelay }) => {
      const signal = AbortSignal.timeout(OPEN_WITHIN_MS)
      const opened = await swarm.openBulk(device, PURPOSE, { mayRelay, signal })
      if (opened.kind === 'open') return new ConnectionLink(opened.connection)
      const channel = await openDataChannel(swarm, device, { purpose: PURPOSE, signal })
      return channel && new ConnectionLink(channel, DATA_CHANNEL_WINDOW_BYTES)
    },
    handle: (allows, onOpened) => {
      const handler = { allows, onOpened: (connection: BulkConnection) => onOpened(new ConnectionLink(connection)) }
      const releases = [swarm.handleBulk(PURPOSE, handler), handleDataChannels(swarm, PURPOSE, handler)]
      return () => releases.forEach((release) => void release())
    },
  }
}

/** What holds a raw connection that was given away. */
export interface Holder<T> {
  readonly thread: T
  readonly lane: number
  close(): void
}

export class ConnectionLink implements BulkLink {
  readonly window: number | undefined
  private readonly connection: BulkConnection
  private holder: Promise<Holder<unknown> | undefined> | undefined
  private isClosed = false

  /** @param window as of BulkLink */
  constructor(connection: BulkConnection, window?: number) {
    this.connection = connection
    this.window = window
  }

  get peer(): BulkLink['peer'] {
    return this.connection.peer
  }

  get via(): BulkLink['via'] {
    return this.connection.via
  }

  async send(frame: Uint8Array): Promise<boolean> {
    return this.connection.write(frame).then(
      () => true,
      () => false,
    )
  }

  frames(): AsyncIterable<Uint8Array> {
    return framesOf(this.connection)
  }

  /** Once, with `take`; later calls have the same answer. @param take gets the socket; `undefined` where it cannot */
  handTo<T>(take: (connection: BulkConnection) => Promise<Holder<T> | undefined>): Promise<Holder<T> | undefined> {
    this.holder ??= take(this.connection).then((holder) => {
      if (this.isClosed) holder?.close()
      return holder
    })
    return this.holder as Promise<Holder<T> | undefined>
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    void this.connection.close()
    void this.holder?.then(
      (holder) => holder?.close(),
      () => undefined,
    )
  }
}

/** Ends where the connection breaks off, as at an end in order. */
async function* framesOf(connection: BulkConnection): AsyncGenerator<Uint8Array> {
  try {
    yield* connection
  } catch {
    // The control stream says what is missing.
  }
}
