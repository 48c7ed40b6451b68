/** The API over WebSocket, for a page that a host on this machine serves. Who may connect is the host's to decide. */
import { RPCHandler } from '@orpc/server/ws'
import type { WebSocket } from 'ws'
import { router } from '../api/router.ts'
import type { Client } from '../assemble.ts'

/** Serves one socket until it closes. */
export function serveWebSocket(client: Client, socket: WebSocket): void {
  // It closes by itself, and nobody else looks after its errors.
  socket.on('error', () => undefined)
  new RPCHandler(router).upgrade(socket, { context: { client } })
}
