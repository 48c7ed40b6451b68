/** Under which of this machine's addresses a phone beside it finds the page. */
import type { NetworkInterfaceInfo } from 'node:os'
import ipaddr from 'ipaddr.js'
import { broadcastOf } from '../../discovery/interfaces.ts'

/** Networks of this machine alone (containers, virtual machines) and tunnels, as Linux, macOS and Windows name them. */
const NOT_SHARED =
  /^(docker|podman|cni|lxc|lxd|br-[\da-f]{12}|veth|virbr|vmnet|vboxnet|vEthernet|VirtualBox|VMware|tun|tap|wg|utun|ppp|ipsec|zt|ZeroTier|tailscale|nordlynx|proton|WireGuard|OpenVPN)/i

interface Candidate {
  readonly address: string
  /** The better, the smaller. */
  readonly rank: number
}

/**
 * IPv4 addresses, the best first: of networks that others share before those of containers and tunnels, among these the one on the way
 * out, then private ones.
 * @param out own address on the way to the router, if there is one: with a VPN it may be that of the tunnel
 */
export function pageHosts(list: NodeJS.Dict<NetworkInterfaceInfo[]>, out: string | undefined): readonly string[] {
  const candidates = Object.entries(list).flatMap(([name, infos = []]) =>
    infos
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
      .map((info): Candidate => ({ address: info.address, rank: rankOf(name, info, out) })),
  )
  return candidates.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address)
}

function rankOf(name: string, info: NetworkInterfaceInfo, out: string | undefined): number {
  const isShared = broadcastOf(info) !== null && !NOT_SHARED.test(name)
  const among = info.address === out ? 0 : ipaddr.parse(info.address).range() === 'private' ? 1 : 2
  return (isShared ? 0 : 3) + among
}
