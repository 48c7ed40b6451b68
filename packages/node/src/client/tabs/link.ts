/** The typed API over a channel: loaded when a second tab is opened. */
import { createORPCClient } from '@orpc/client'
import { RPCLink } from '@orpc/client/message-port'
import { RPCHandler } from '@orpc/server/message-port'
import type { ApiClient } from '../api/api-client.ts'
import { router } from '../api/router.ts'
import type { Client } from '../assemble.ts'

export function apiOver(channel: BroadcastChannel): ApiClient {
  return createORPCClient(new RPCLink({ port: channel }))
}

export function serveOver(channel: BroadcastChannel, client: Client): void {
  new RPCHandler(router).upgrade(channel, { context: { client } })
}
