/**
 * A relay's DHT within bounds (RL30). The library keeps whatever passes its validators, public keys and provider records
 * of anybody among it, without a bound; answers as fast as it is asked; and takes every peer that claims the protocol for a
 * server that is worth remembering.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Connection, PeerId, StreamHandler } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { type Caller, callerOf } from './circuit/caller.ts'
import type { RelayRules } from './circuit/rules.ts'
import { DhtShelf } from './dht-shelf.ts'
import { watched } from './library-frames.ts'
import type { Offence } from './offences.ts'
import type { CertificateDatastore, StoreKey } from './relay-datastore.ts'

/** Servers of one network in the routing table: nobody runs more relays in one place. */
export const MAX_SERVERS_PER_NETWORK = 16
/** How long a server that has gone is remembered, ms: a relay that restarts is back by then. */
const SERVER_GONE_MS = 600_000
/** Servers that have gone and are remembered. */
const MAX_GONE = 256
/** Between two looks for what has had its time, ms. */
const SWEEP_MS = 60_000

/** What `@libp2p/kad-dht` 16 holds; only `size` is in its types. */
interface Inside {
  readonly routingTable: RoutingTable
  readonly rpc: {
    handleMessage(peer: PeerId, message: DhtMessage): Promise<DhtMessage | undefined>
    onIncomingStream: StreamHandler
  }
}

interface RoutingTable extends EventTarget {
  readonly size: number
  readonly kb: { toIterable(): Iterable<{ readonly peerId: PeerId }> }
  add(peer: PeerId, options?: object): Promise<void>
  remove(peer: PeerId): Promise<void>
}

interface DhtMessage {
  readonly type: string
}

/** Cuts off whoever says more on one stream than any question takes, and tells of what is no question. Before the DHT is started. */
export function boundRequests(dht: KadDHT, onRefused: (why: Offence) => void): KadDHT {
  const { rpc } = dht as unknown as Inside
  rpc.onIncomingStream = watched(rpc.onIncomingStream.bind(rpc), onRefused)
  return dht
}

export interface DhtGuardParts {
  readonly rules: Pick<RelayRules, 'mayAsk' | 'groupsOf' | 'dhtRecords'>
  readonly datastore: CertificateDatastore
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** What is asked of the node beside the DHT. */
export interface DhtSurroundings {
  getConnections(peer: PeerId): Connection[]
  forget(peer: PeerId): Promise<void>
}

export class DhtGuard {
  readonly #parts: DhtGuardParts
  readonly #inside: Inside
  readonly #node: DhtSurroundings
  readonly #shelf: DhtShelf<StoreKey>
  /** On whose behalf the library does what it does. */
  readonly #asking = new AsyncLocalStorage<Caller>()
  /** Servers that have gone, since when; the one that went first, first. */
  readonly #gone = new Map<string, { readonly peer: PeerId; readonly at: number }>()
  readonly #sweeping: NodeJS.Timeout

  /** From now on. */
  constructor(dht: KadDHT, node: DhtSurroundings, parts: DhtGuardParts) {
    this.#parts = parts
    this.#node = node
    this.#inside = dht as unknown as Inside
    this.#shelf = new DhtShelf(() => parts.rules.dhtRecords(), parts.now)
    parts.datastore.onRecord = (key) => this.#onRecord(key)
    this.#guardMessages()
    this.#guardTable()
    this.#sweeping = setInterval(() => void this.#sweep(), SWEEP_MS).unref()
  }

  /** Records that are kept. */
  get records(): number {
    return this.#shelf.size
  }

  get peers(): number {
    return this.#inside.routingTable.size
  }

  /** Enters a server in the routing table, unless its network has enough of them. */
  add(peer: PeerId): Promise<void> {
    return this.#inside.routingTable.add(peer)
  }

  /** A server has gone. It is forgotten in a while, unless it comes back. */
  onGone(peer: PeerId): void {
    this.#gone.delete(peer.toString())
    this.#gone.set(peer.toString(), { peer, at: this.#parts.now() })
    const [first] = this.#gone
    if (this.#gone.size > MAX_GONE && first !== undefined) void this.#forget(first[0], first[1].peer)
  }

  stop(): void {
    clearInterval(this.#sweeping)
  }

  #guardMessages(): void {
    const { rpc } = this.#inside
    const handle = rpc.handleMessage.bind(rpc)
    rpc.handleMessage = async (peer, message) => {
      const [connection] = this.#node.getConnections(peer)
      if (connection === undefined) throw new Error('whoever asks has gone')
      const caller = callerOf(connection)
      if (!this.#parts.rules.mayAsk('dht', caller)) throw new Error('too many questions')
      if (message.type === 'ADD_PROVIDER' || message.type === 'GET_PROVIDERS') throw new Error('there are no providers here')
      return this.#asking.run(caller, () => handle(peer, message))
    }
  }

  /** The library is putting a record into the datastore. */
  #onRecord(key: StoreKey): void {
    const address = this.#asking.getStore()?.address
    const groups = address === undefined ? [] : this.#parts.rules.groupsOf(address)
    for (const gone of this.#shelf.put(key, groups)) void this.#parts.datastore.delete(gone)
  }

  #guardTable(): void {
    const { routingTable } = this.#inside
    const add = routingTable.add.bind(routingTable)
    routingTable.add = async (peer, options) => {
      await add(peer, options)
      // Afterwards: the library has connected to it by then, to see whether it answers.
      if (this.#serversBeside(peer) > MAX_SERVERS_PER_NETWORK) await routingTable.remove(peer)
    }
  }

  #serversBeside(peer: PeerId): number {
    const network = this.#networkOf(peer)
    if (network === undefined) return 0
    return [...this.#inside.routingTable.kb.toIterable()].filter(({ peerId }) => this.#networkOf(peerId) === network).length
  }

  #networkOf(peer: PeerId): string | undefined {
    const [connection] = this.#node.getConnections(peer)
    const address = connection === undefined ? undefined : callerOf(connection).address
    return address === undefined ? undefined : this.#parts.rules.groupsOf(address)[1]
  }

  async #sweep(): Promise<void> {
    for (const key of this.#shelf.expire()) await this.#parts.datastore.delete(key)
    for (const [name, { peer, at }] of [...this.#gone]) {
      if (at > this.#parts.now() - SERVER_GONE_MS) return
      await this.#forget(name, peer)
    }
  }

  async #forget(name: string, peer: PeerId): Promise<void> {
    this.#gone.delete(name)
    if (this.#node.getConnections(peer).length > 0) return
    await this.#inside.routingTable.remove(peer).catch(() => undefined)
    await this.#node.forget(peer)
  }
}
