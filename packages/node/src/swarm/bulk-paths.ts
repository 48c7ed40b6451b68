/** Where raw connections may be opened, as the connections that stand show it. */
import type { Connection } from '@libp2p/interface'
import { type DeviceId, parseDeviceId } from '@skein/core'
import type { BulkDeps, DirectPaths, RelayPath } from '../bulk/index.ts'
import { endpointOf } from '../bulk/endpoint.ts'
import type { Stack } from './client-stack.ts'
import { isPunched, isRelayedConnection, peerOf, transportOf } from './connections.ts'
import type { RelayDescription } from './relay-description.ts'
import { meantFor } from './rungs.ts'

/** Addresses that somebody says are its own, and that are dialled for raw connections. */
const MAX_KNOWN = 8

interface Known {
  /** Where the device says that it listens. */
  readonly theirs: readonly string[]
  /** Addresses of this device. */
  readonly own: readonly string[]
}

/**
 * Of plain TCP alone, and not of holes: nobody listens behind those. Where a device is reached directly by anything else it
 * may still listen for TCP: WebRTC and holes are only what was faster when the two met.
 */
function directPaths(connections: readonly Connection[], { theirs, own }: Known): DirectPaths {
  const direct = connections.filter((each) => each.status === 'open' && !isRelayedConnection(each))
  const byTcp = direct.filter((each) => !isPunched(each) && transportOf(each.remoteAddr.toString()) === 'tcp')
  const dialled = byTcp.filter(({ direction }) => direction === 'outbound')
  const isOpen = direct.length > 0 && byTcp.length === 0
  const known = isOpen ? theirs.filter(meantFor(own)).flatMap((each) => endpointOf(each) ?? []) : []
  return {
    dialled: dialled.flatMap(({ remoteAddr }) => endpointOf(remoteAddr.toString()) ?? []),
    wasDialled: dialled.length < byTcp.length,
    known: known.slice(0, MAX_KNOWN),
  }
}

async function directPathsOf(stack: Stack, device: DeviceId): Promise<DirectPaths> {
  const peer = peerOf(device)
  const known = await stack.peerStore.get(peer).catch(() => undefined)
  const theirs = (known?.addresses ?? []).map((each) => each.multiaddr.toString())
  return directPaths(stack.getConnections(peer), { theirs, own: stack.getMultiaddrs().map(String) })
}

/** Relays that are joined, then those that circuits to the device lead over. */
function relayPaths(joined: readonly RelayDescription[], connections: readonly Connection[]): readonly RelayPath[] {
  const own = joined.map(({ device, addresses }) => ({ device, endpoints: addresses.flatMap((each) => endpointOf(each) ?? []) }))
  const theirs = connections.filter(isRelayedConnection).flatMap(({ remoteAddr }) => relayOf(remoteAddr.toString()))
  const others = theirs.filter(({ device }) => !own.some((each) => each.device === device))
  return [...own, ...others].filter(({ endpoints }) => endpoints.length > 0)
}

function relayOf(circuit: string): RelayPath[] {
  const [hop = ''] = circuit.split('/p2p-circuit')
  const [endpoint, name] = [endpointOf(hop), /\/p2p\/([^/]+)$/.exec(hop)?.[1]]
  try {
    return endpoint === undefined || name === undefined ? [] : [{ device: parseDeviceId(name), endpoints: [endpoint] }]
  } catch {
    return []
  }
}

/** What raw connections need of whoever runs; a browser has none, and does without this file. */
export interface BulkHost extends Omit<BulkDeps, 'directPaths' | 'relayPaths'> {
  readonly stack: Stack
  joinedRelays(): readonly RelayDescription[]
}

export function withPaths(host: BulkHost): BulkDeps {
  const { stack } = host
  return {
    ...host,
    directPaths: (device) => directPathsOf(stack, device),
    relayPaths: (device) => relayPaths(host.joinedRelays(), stack.getConnections(peerOf(device))),
  }
}
