/**
 * Moving a TCP connection that is in use to another thread, or to a socket that reads in another way. Node.js 26.6 moves sockets, but refuses those that have read a
 * byte, for something may be lost; the handle below moves all the same. Whoever does it knows that nothing is on its way:
 * the other side speaks next when it is asked on the control stream.
 */
import { Socket, type SocketConstructorOpts } from 'node:net'

/** A `TCPWrap` of Node.js. */
export type Transferable = object

interface Handle {
  reading: boolean
  readStop(): number
}

/** What there is in a socket of Node.js, and not in its types. */
interface Inside {
  _handle: Handle | null
}

/** The handle, no longer read; `undefined` where it cannot be moved. */
export function idleHandleOf(socket: Socket): Transferable | undefined {
  const { _handle: handle } = socket as unknown as Inside
  const isIdle = !socket.destroyed && socket.readableLength === 0 && socket.writableLength === 0 && !socket.readableEnded
  // On Windows a read is under way at any time, and what it brings would be lost.
  if (process.platform === 'win32' || handle === null || !isIdle) return undefined
  handle.readStop()
  handle.reading = false
  return handle
}

/** The handle has gone: nothing of it is closed here. */
export function leave(socket: Socket): void {
  ;(socket as unknown as Inside)._handle = null
  socket.destroy()
}

/** On the thread that got it. @param onread as for a socket that is dialled */
export function socketOn(handle: Transferable, onread: SocketConstructorOpts['onread']): Socket {
  return new Socket({ handle, onread, readable: true, writable: true } as SocketConstructorOpts)
}

/**
 * The same connection as another socket, which reads as a socket does that is dialled; what was accepted has no connection any more,
 * and closes when that one does. @returns `undefined` where it cannot be moved
 */
export function takeOver(accepted: Socket, onread: SocketConstructorOpts['onread']): Socket | undefined {
  const handle = idleHandleOf(accepted)
  if (handle === undefined) return undefined
  ;(accepted as unknown as Inside)._handle = null
  const socket = socketOn(handle, onread)
  socket.on('error', () => undefined)
  socket.once('close', () => accepted.destroy())
  return socket
}
