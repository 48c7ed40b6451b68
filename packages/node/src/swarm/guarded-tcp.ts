/**
 * libp2p's TCP transport, with a door on the side that listens: whoever may not come in is turned away before anything is
 * spent on it, silence is ended, and raw connections (docs/spec/bulk.md) share the port. Their first byte tells them apart:
 * libp2p's is the length of `/multistream/1.0.0`. And with zones: the library drops that of an address it dials, and turns
 * away whoever comes from an address that has one.
 */
import type { Server, Socket } from 'node:net'
import type { Transport } from '@libp2p/interface'
import { type TCPComponents, tcp } from '@libp2p/tcp'
import { MAGIC } from '../bulk/constants.ts'
import { endpointOf } from '../bulk/endpoint.ts'

/** From the TCP connection to its first byte, ms; libp2p has a limit of its own from then on. */
const FIRST_BYTE_WITHIN_MS = 10_000
/** Connections of one listener where nobody is asked; the system resets the others, of which nobody hears. */
const MAX_SOCKETS = 16_384

/** What the listener of `@libp2p/tcp` 11 holds; not in its types. */
interface Listener {
  readonly server: Server
  close(options?: object): Promise<void>
}

export interface TcpDoor {
  /** Asked as soon as somebody is there, and counts them. The socket is turned away at `false`. */
  readonly mayEnter?: ((socket: Socket) => boolean) | undefined
  /** Somebody has come and gone without a byte, or has said none in time. */
  onSilent?(why: 'failed' | 'timeout'): void
  /** Somebody wants to open a raw connection: from now on the socket is the receiver's. It is not flowing. */
  onRaw(socket: Socket): void
}

/** Takes the place of `tcp()` wherever something listens. */
export function guardedTcp(door: TcpDoor): (components: TCPComponents) => Transport {
  return (components) => {
    const transport = tcp()(components)
    const [createListener, dial] = [transport.createListener.bind(transport), transport.dial.bind(transport)]
    return Object.assign(transport, {
      // What stands beside `signal` and `upgrader` is for the system's connect.
      dial: (to: Parameters<typeof dial>[0], wanted: Parameters<typeof dial>[1]) =>
        dial(to, Object.assign({}, wanted, hostOf(to.toString()))),
      createListener: (wanted: Parameters<typeof createListener>[0]) => {
        const listener = createListener(wanted)
        guard(listener as unknown as Listener, door)
        return listener
      },
    })
  }
}

function hostOf(address: string): { readonly host: string } | undefined {
  const endpoint = endpointOf(address)
  return endpoint === undefined ? undefined : { host: endpoint.host }
}

function guard(listener: Listener, door: TcpDoor): void {
  const { server } = listener
  const open = new Set<Socket>()
  const [deliver] = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  if (door.mayEnter === undefined) server.maxConnections = MAX_SOCKETS
  server.on('connection', (socket) => {
    if (door.mayEnter?.(socket) === false) return void socket.destroy()
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    const libp2p = (each: Socket): unknown => server.listening && deliver?.call(server, each)
    sort(socket, { raw: (each) => door.onRaw(each), libp2p, silent: (why) => door.onSilent?.(why) })
  })
  const close = listener.close.bind(listener)
  // The library waits for sockets of which it does not know.
  listener.close = (options) => {
    const closing = close(options)
    for (const socket of open) socket.destroy()
    return closing
  }
}

interface Receivers {
  raw(socket: Socket): void
  libp2p(socket: Socket): unknown
  silent(why: 'failed' | 'timeout'): void
}

function sort(socket: Socket, { raw, libp2p, silent }: Receivers): void {
  const ignore = (): void => undefined
  const end = (why: 'failed' | 'timeout'): void => {
    clearTimeout(cut)
    socket.off('close', onClose)
    silent(why)
    socket.destroy()
  }
  const onClose = (): void => end('failed')
  const cut = setTimeout(() => end('timeout'), FIRST_BYTE_WITHIN_MS)
  socket.on('error', ignore)
  socket.once('close', onClose)
  socket.once('readable', () => {
    const first = socket.read() as Buffer | null
    // It has closed, of which it tells by itself, or is about to.
    if (first === null) return void socket.destroy()
    clearTimeout(cut)
    socket.off('close', onClose)
    socket.unshift(first)
    if (first[0] === MAGIC[0]) return raw(socket)
    socket.off('error', ignore)
    libp2p(withoutZone(socket))
  })
}

/** A multiaddr holds no zone in its address; who has come is answered on the socket, whatever its name. */
function withoutZone(socket: Socket): Socket {
  const [address, zone] = socket.remoteAddress?.split('%') ?? []
  return zone === undefined ? socket : Object.defineProperty(socket, 'remoteAddress', { value: address })
}
