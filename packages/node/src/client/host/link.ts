/** The typed API over a WebSocket: loaded by pages behind which a program of this computer runs. */
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/websocket'
import type { ApiClient } from '../api/api-client.ts'

export function apiOver(socket: WebSocket): ApiClient {
  return createORPCClient(new RPCLink({ websocket: socket }))
}
