/** Connections over HTTP on which nothing comes that can be answered, or nothing is taken: what they are told, and how they are counted (RL21). */
import type { Socket } from 'node:net'
import { SendQueues } from './traffic/send-queues.ts'

export type Broken = 'timeout' | 'size' | 'malformed' | 'tls' | 'unread'

/** By the codes of Node.js and its parser. What else ends a connection is bad luck. */
const REQUESTS: readonly (readonly [codes: RegExp, why: Broken, status: string])[] = [
  [/^ERR_HTTP_REQUEST_TIMEOUT$/, 'timeout', '408 Request Timeout'],
  [/^HPE_HEADER_OVERFLOW$/, 'size', '431 Request Header Fields Too Large'],
  [/^HPE_CHUNK_EXTENSIONS_OVERFLOW$/, 'size', '413 Payload Too Large'],
  [/^HPE_/, 'malformed', '400 Bad Request'],
]

/** Answers as Node.js would, and ends the connection. */
export function endBroken({ code = '' }: NodeJS.ErrnoException, socket: Socket, onBroken: (why: Broken) => void): void {
  // What comes after it in the same breath is not another one.
  if (socket.destroyed) return
  const [, why, status] = REQUESTS.find(([codes]) => codes.test(code)) ?? []
  if (why !== undefined) onBroken(why)
  if (status !== undefined && socket.writable && !isAnswering(socket))
    socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  socket.destroy()
}

/** What Node.js looks at before it answers by itself: not in its types. */
interface Answering {
  readonly _httpMessage?: { readonly headersSent: boolean } | null
}

/** In the middle of an answer to an earlier request another one would be taken for a part of it. */
function isAnswering(socket: Socket): boolean {
  return (socket as Socket & Answering)._httpMessage?.headersSent === true
}

/** Why there is no TLS: silence, or garbage and whatever else is no handshake of ours. */
export function whyNoTls({ code }: NodeJS.ErrnoException): Broken {
  return code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'tls'
}

const QUEUES = new SendQueues(() => performance.now())

/** Of a client that takes nothing of its answer; that the connection ends then is others' work, which has to come after this. */
export function noteUnread(socket: Socket, onBroken: (why: Broken) => void): void {
  socket.on('timeout', () => {
    if (socket.writableLength > 0 || QUEUES.of(socket) > 0) onBroken('unread')
  })
}
