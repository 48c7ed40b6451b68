/**
 * libp2p's WebSocket transport, guarded on the side that listens. The library leaves the error of a socket unhandled, so
 * that one malformed frame ends the process; takes messages of 100 MiB; keeps TCP connections for ever that never
 * say a word; and leaves those open that it has ended, until the other side closes them too.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isIP, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Transport } from '@libp2p/interface'
import { type WebSocketsComponents, webSockets } from '@libp2p/websockets'
import { Shares } from '@skein/core'

/** Largest message, bytes. A frame of Noise, which is what a peer sends in one message, has 65,537. */
export const MAX_MESSAGE_BYTES = 262_144
/** From the TCP connection to the upgrade, ms: a handshake of one round trip, with time for slow ones. */
export const UPGRADE_WITHIN_MS = 10_000
/** TCP connections that are no WebSockets yet, and where nobody is asked all of them: the library counts a connection only when it is authenticated. */
export const MAX_SOCKETS = 8_192

/** From the end of a connection to that of its TCP connection, ms: for what is on its way, and the other side's farewell. */
export const CLOSE_WITHIN_MS = 2_000
/** "Closed abnormally" (RFC 6455 §7.4.1): the library wants to say it, which nobody may. */
const ABNORMAL = 1006

/** What the listener of `@libp2p/websockets` 10 holds; none of it is in its types. */
interface Listener {
  readonly server: Server
  /** Of the library `ws`. */
  readonly wsServer: { readonly options: { maxPayload?: number } }
  onWsServerConnection(socket: WebSocketOfServer, request: UpgradeRequest): void
  onUpgrade(request: unknown, socket: Duplex, head: unknown): void
  close(options?: object): Promise<void>
}

/** Of the library `ws`. */
interface WebSocketOfServer extends EventEmitter {
  close(code?: number, reason?: string): void
  /** Ends the TCP connection at once. */
  terminate(): void
}

/** What is read of the HTTP request that became a WebSocket. */
interface UpgradeRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly socket: Pick<Socket, 'remoteAddress' | 'remotePort'>
}

/** TCP connections of one address that are no WebSockets yet; of one network four times as many. */
const MAX_PENDING_PER_ADDRESS = 256

/** `pending`: its address has too many that say nothing; the others have ended by themselves. */
export type WebSocketRefusal = 'pending' | 'failed' | 'timeout' | 'malformed' | 'size'

export interface GuardOptions {
  /** Asked as soon as somebody is there who speaks for himself, and counts them. The socket is turned away at `false`. */
  readonly mayEnter?: ((socket: Socket) => boolean) | undefined
  /** The address and its network, as whoever decides counts them. */
  readonly groupsOf?: ((address: string) => readonly string[]) | undefined
  /** A connection was turned away at a limit, has not become a WebSocket, or was none; `which` there is once it has become one. */
  readonly onRefused?: ((why: WebSocketRefusal, which?: object) => void) | undefined
  /** Whether a web server on this machine passes connections on, and names the address of each in `X-Forwarded-For`. */
  readonly behindProxy?: boolean | undefined
  /** Called with a way in for WebSockets that somebody else has listened for, once something listens here. */
  readonly onReady?: ((take: TakeUpgrade) => void) | undefined
}

/** Takes an HTTP request that wants to become a WebSocket. */
export type TakeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Takes the place of `webSockets()` wherever something listens. */
export function guardedWebSockets(options: GuardOptions = {}): (components: WebSocketsComponents) => Transport {
  return (components) => {
    const transport = webSockets({ http: { headersTimeout: UPGRADE_WITHIN_MS, requestTimeout: UPGRADE_WITHIN_MS } })(components)
    const createListener = transport.createListener.bind(transport)
    return Object.assign(transport, {
      createListener: (wanted: Parameters<typeof createListener>[0]) => {
        const listener = createListener(wanted)
        guard(listener as unknown as Listener, options)
        return listener
      },
    })
  }
}

function guard(listener: Listener, { behindProxy = false, onReady, onRefused, groupsOf = () => [], mayEnter }: GuardOptions): void {
  if (mayEnter === undefined) listener.server.maxConnections = MAX_SOCKETS
  listener.wsServer.options.maxPayload = MAX_MESSAGE_BYTES
  const pending = new Shares(() => PENDING)
  const hold = holdUntilClosed(listener)
  listener.server.prependListener('connection', (socket) => {
    const isProxy = behindProxy && isLocal(socket.remoteAddress)
    const [address, network] = isProxy ? [] : groupsOf(socket.remoteAddress ?? '')
    const origin = { connection: '', address, network }
    if (!pending.take(origin, 1)) {
      onRefused?.('pending')
      socket.destroy()
      return
    }
    hold(socket)
    const isRefused = !isProxy && mayEnter?.(socket) === false
    awaitUpgrade(socket, (why) => {
      pending.give(origin, 1)
      if (why !== undefined && !isRefused) onRefused?.(why)
    })
    if (isRefused) socket.destroy()
    else endUnlessUpgraded(socket)
  })
  const onConnection = listener.onWsServerConnection.bind(listener)
  listener.onWsServerConnection = (socket, request) => {
    settle(request.socket)
    // It closes by itself, which is all that libp2p needs to know.
    socket.on('error', (error) => {
      const why = whyBroken(error)
      if (why !== undefined) onRefused?.(why, socket)
    })
    endSoonWhenClosed(socket)
    onConnection(socket, behindProxy ? asForwarded(request) : request)
  }
  onReady?.((request, socket, head) => {
    hold(socket)
    awaitUpgrade(socket, (why) => why !== undefined && onRefused?.(why))
    listener.onUpgrade(request, socket, head)
  })
}

/** The library waits for sockets of which it does not know: the silent ones, and those that came in elsewhere. */
function holdUntilClosed(listener: Listener): (socket: Duplex) => void {
  const open = new Set<Duplex>()
  const close = listener.close.bind(listener)
  listener.close = (options) => {
    const closing = close(options)
    for (const socket of open) socket.destroy()
    return closing
  }
  return (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  }
}

/** In the words of the library `ws`. */
function whyBroken({ code }: { readonly code?: unknown }): WebSocketRefusal | undefined {
  if (/^WS_ERR_UNSUPPORTED_(MESSAGE|DATA_PAYLOAD)_LENGTH$/.test(String(code))) return 'size'
  return String(code).startsWith('WS_ERR_') ? 'malformed' : undefined
}

/** Whoever is ended need not agree to it: `ws` waits 30 s for the answer, and for ever when it was told to say `ABNORMAL`. */
function endSoonWhenClosed(socket: WebSocketOfServer): void {
  const close = socket.close.bind(socket)
  socket.close = (code, reason) => {
    if (code === ABNORMAL) return socket.terminate()
    close(code, reason)
    const cut = setTimeout(() => socket.terminate(), CLOSE_WITHIN_MS)
    socket.once('close', () => clearTimeout(cut))
  }
}

const PENDING = {
  connection: Number.POSITIVE_INFINITY,
  address: MAX_PENDING_PER_ADDRESS,
  network: 4 * MAX_PENDING_PER_ADDRESS,
  total: MAX_SOCKETS,
}
type Unsettled = 'failed' | 'timeout'
/** What is to be done once when a socket has become a WebSocket, or has not and why. */
const settling = new WeakMap<object, (why?: Unsettled) => void>()

function awaitUpgrade(socket: Duplex, onSettled: (why?: Unsettled) => void): void {
  settling.set(socket, onSettled)
  socket.once('close', () => settle(socket, 'failed'))
}

function endUnlessUpgraded(socket: Socket): void {
  const cut = (): void => {
    if (settle(socket, 'timeout')) socket.destroy()
  }
  const deadline = setTimeout(cut, UPGRADE_WITHIN_MS).unref()
  socket.once('close', () => clearTimeout(deadline))
}

/** @returns whether it was awaited */
function settle(socket: object, why?: Unsettled): boolean {
  const onSettled = settling.get(socket)
  settling.delete(socket)
  onSettled?.(why)
  return onSettled !== undefined
}

/** Whom the proxy speaks for: the last entry, which it has added itself. Nobody but this machine may speak for others. */
export function addressOfRequest({ headers, socket }: UpgradeRequest): string {
  const { remoteAddress = '' } = socket
  const named = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .at(-1)
    ?.trim()
  return isLocal(remoteAddress) && named !== undefined && isIP(named) !== 0 ? named : remoteAddress
}

function isLocal(address = ''): boolean {
  return /^(::ffff:)?127\.|^::1$/.test(address)
}

function asForwarded(request: UpgradeRequest): UpgradeRequest {
  const remoteAddress = addressOfRequest(request)
  if (remoteAddress === (request.socket.remoteAddress ?? '')) return request
  const socket = { remoteAddress, remotePort: request.socket.remotePort ?? 0 }
  return Object.create(request, { socket: { value: socket } }) as UpgradeRequest
}
