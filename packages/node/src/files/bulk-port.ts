/** Core's BulkPort on raw connections of the swarm. */
import type { BulkLink, BulkPort } from '@skein/core'
import type { BulkConnection } from '../bulk/index.ts'
import type { Libp2pSwarm } from '../swarm/libp2p-swarm.ts'

const PURPOSE = 'files'
/** To open one, milliseconds: both sides may have to try, while chunks come on a channel. */
const OPEN_WITHIN_MS = 15_000

export function bulkPortOn(swarm: Pick<Libp2pSwarm, 'openBulk' | 'handleBulk'>): BulkPort {
  return {
    open: async (device, { mayRelay }) => {
      const opened = await swarm.openBulk(device, PURPOSE, { mayRelay, signal: AbortSignal.timeout(OPEN_WITHIN_MS) })
      return opened.kind === 'open' ? new ConnectionLink(opened.connection) : undefined
    },
    handle: (allows, onOpened) => swarm.handleBulk(PURPOSE, { allows, onOpened: (connection) => onOpened(new ConnectionLink(connection)) }),
  }
}

/** What holds a raw connection that was given away. */
export interface Holder<T> {
  readonly thread: T
  readonly lane: number
  close(): void
}

export class ConnectionLink implements BulkLink {
  private readonly connection: BulkConnection
  private holder: Promise<Holder<unknown> | undefined> | undefined
  private isClosed = false

  constructor(connection: BulkConnection) {
    this.connection = connection
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
