/** The relay's door: asks the rules before anything is spent on a connection, and counts what passes over it. */
import type { Socket } from 'node:net'
import type { Connection, ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { Shares } from '@skein/core'
import { addressOf } from './party.ts'
import type { RelayRules } from './rules.ts'

/** Connections that have not proven who they are: a burst of one address, four of a network, and what a relay bears. */
export const PENDING = { connection: Number.POSITIVE_INFINITY, address: 256, network: 1_024, total: 4_096 }

/** There handshakes that come to nothing are counted where they begin, long before this. */
const OVER_WEBRTC = /\/webrtc/

export interface RelayDoor {
  readonly gater: ConnectionGater
  /** For sockets whose first byte is awaited before libp2p hears of them: silence counts as well. */
  mayEnter(socket: Socket): boolean
  /** A WebSocket has ended by what is counted already. */
  onBroken(websocket: object): void
  /** When something has arrived last on a connection that came in, monotonic ms. */
  heardAt(connection: Connection): number | undefined
}

export function relayDoor(rules: RelayRules): RelayDoor {
  const entered = new WeakSet<Socket>()
  const mayEnter = (socket: Socket): boolean => {
    const address = socket.remoteAddress?.replace(/^::ffff:(\d+\.)/i, '$1')
    if (address === undefined || !rules.mayJoin(address)) return false
    entered.add(socket)
    socket.once('close', () => rules.onLeft(address))
    return true
  }
  const heard = new WeakMap<object, { at: number }>()
  const broken = new WeakSet<object>()
  const heardAt = (connection: Connection): number | undefined => heard.get((connection as Connection & OverTransport).maConn ?? {})?.at
  return { gater: relayGate(rules, { entered, heard, broken }), mayEnter, heardAt, onBroken: (websocket) => void broken.add(websocket) }
}

interface Known {
  readonly entered: WeakSet<Socket>
  readonly heard: WeakMap<object, { at: number }>
  /** WebSockets whose end is counted already. */
  readonly broken: WeakSet<object>
}

function relayGate(rules: RelayRules, { entered, heard, broken }: Known): ConnectionGater {
  const handshakes = new Handshakes(rules, broken)
  return {
    // The relay dials whoever it is told to meet; the library's default refuses private addresses only in browsers.
    denyDialMultiaddr: () => false,
    denyInboundConnection: (connection) => {
      const address = addressOf(connection)
      const socket = socketOf(connection)
      if (address === undefined || !handshakes.begin(connection, address)) return true
      if (socket === undefined || !entered.has(socket)) {
        if (!rules.mayJoin(address)) return handshakes.refuse(connection)
        connection.addEventListener('close', () => rules.onLeft(address), { once: true })
      }
      const last = { at: performance.now() }
      heard.set(connection, last)
      count(connection, rules, last)
      return false
    },
    denyInboundEncryptedConnection: (peer: PeerId, connection: MultiaddrConnection) =>
      !rules.mayStay(peer.toString()) && handshakes.refuse(connection),
    denyInboundUpgradedConnection: (_peer: PeerId, connection: MultiaddrConnection) => {
      handshakes.end(connection)
      return false
    },
  }
}

/** Who dribbles through the handshake holds up its own address, not everybody: the library counts all of them together. */
class Handshakes {
  readonly #shares = new Shares(() => PENDING)
  readonly #settle = new WeakMap<object, () => void>()
  /** Of those that come to nothing the ones that are counted elsewhere. */
  readonly #counted = new WeakSet<object>()
  readonly #rules: RelayRules
  readonly #broken: WeakSet<object>

  constructor(rules: RelayRules, broken: WeakSet<object>) {
    this.#rules = rules
    this.#broken = broken
  }

  begin(connection: MultiaddrConnection, address: string): boolean {
    const [own, network] = this.#rules.groupsOf(address)
    const origin = { connection: '', address: own, network }
    if (!this.#shares.take(origin, 1)) {
      this.#rules.onRefused('handshake', 'pending')
      return false
    }
    this.#settle.set(connection, () => this.#shares.give(origin, 1))
    if (OVER_WEBRTC.test(connection.remoteAddr.toString())) this.#counted.add(connection)
    connection.addEventListener('close', () => this.#fail(connection), { once: true })
    return true
  }

  /** It is turned away, and that is counted. @returns `true` */
  refuse(connection: MultiaddrConnection): true {
    this.#counted.add(connection)
    return true
  }

  /** @returns whether it was under way */
  end(connection: MultiaddrConnection): boolean {
    const settle = this.#settle.get(connection)
    this.#settle.delete(connection)
    settle?.()
    return settle !== undefined
  }

  #fail(connection: MultiaddrConnection): void {
    const isCounted = this.#counted.has(connection) || this.#broken.has((connection as MultiaddrConnection & OverSocket).websocket ?? {})
    if (this.end(connection) && !isCounted) this.#rules.onRefused('handshake', 'failed')
  }
}

/** Not in the library's types: of TCP, and of WebSockets, which know theirs by another name. */
interface OverSocket {
  readonly socket?: Socket
  readonly websocket?: { readonly _socket?: Socket | null }
}

function socketOf(connection: MultiaddrConnection): Socket | undefined {
  const { socket, websocket } = connection as MultiaddrConnection & OverSocket
  return socket ?? websocket?._socket ?? undefined
}

/** The connection beneath, which the library does not show. */
interface OverTransport {
  readonly maConn?: object
}

/** Not in the library's types: where a transport hands over what it has read. */
interface Readable {
  onData(data: { readonly byteLength: number }): void
}

/** By wrapping and not by listening: a listener for messages would take away what comes before the real one is there. */
function count(connection: MultiaddrConnection, rules: RelayRules, last: { at: number }): void {
  const readable = connection as MultiaddrConnection & Readable
  const [onData, send] = [readable.onData.bind(connection), connection.send.bind(connection)]
  readable.onData = (data) => {
    last.at = performance.now()
    rules.onBytes('in', data.byteLength)
    const before = connection.status
    onData(data)
    // What ends it while it is taken in is nothing that Noise or the muxer can read.
    if (before === 'open' && connection.status === 'aborted') rules.onRefused('connection', 'malformed')
  }
  connection.send = (data) => {
    rules.onBytes('out', data.byteLength)
    return send(data)
  }
}
