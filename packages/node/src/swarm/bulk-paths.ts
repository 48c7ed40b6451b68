/** Where raw connections may be opened, as the connections that stand show it. */
import type { Connection } from '@libp2p/interface'
import { parseDeviceId } from '@skein/core'
import type { DirectPaths, RelayPath } from '../bulk/index.ts'
import { endpointOf } from '../bulk/endpoint.ts'
import { isPunched, isRelayedConnection, transportOf } from './connections.ts'
import type { RelayDescription } from './relay-description.ts'

/** Of plain TCP alone, and not of holes: nobody listens behind those. */
export function directPaths(connections: readonly Connection[]): DirectPaths {
  const direct = connections.filter(
    (each) => each.status === 'open' && !isRelayedConnection(each) && !isPunched(each) && transportOf(each.remoteAddr.toString()) === 'tcp',
  )
  const dialled = direct.filter(({ direction }) => direction === 'outbound')
  return {
    dialled: dialled.flatMap(({ remoteAddr }) => endpointOf(remoteAddr.toString()) ?? []),
    wasDialled: dialled.length < direct.length,
  }
}

/** Relays that are joined, then those that circuits to the device lead over. */
export function relayPaths(joined: readonly RelayDescription[], connections: readonly Connection[]): readonly RelayPath[] {
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
