/** A port of the home router for this machine, by PCP, NAT-PMP or UPnP: so that others dial it directly. */
import type { Clock, Random } from '@skein/core'
import { hostTowards } from './ask-gateway.ts'
import { defaultGateway } from './default-gateway.ts'
import { natPmpWay, pcpWay } from './pcp.ts'
import { upnpWay } from './upnp.ts'
import type { MappingWay, WayOut } from './way.ts'

export { type MappingState, type PortMapping, PortMapper } from './port-mapper.ts'

/** The router that leads out, asked of the system. */
export async function wayOut(): Promise<WayOut | undefined> {
  const gateway = await defaultGateway()
  const host = gateway === undefined ? undefined : await hostTowards(gateway)
  return gateway === undefined || host === undefined ? undefined : { gateway, host }
}

/** The newest first: the oldest is also the slowest. */
export function mappingWays(deps: { readonly clock: Clock; readonly random: Random }): readonly MappingWay[] {
  return [pcpWay(deps), natPmpWay(deps), upnpWay(deps)]
}
