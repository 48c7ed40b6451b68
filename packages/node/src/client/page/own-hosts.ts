/** Under which addresses others on its network find this machine. */
import { networkInterfaces } from 'node:os'
import { wayOut } from '../../nat/mapping/index.ts'
import { pageHosts } from './page-hosts.ts'

/** IPv4 addresses of this machine, the best first, as `pageHosts` ranks them. */
export async function ownHosts(): Promise<readonly string[]> {
  return pageHosts(networkInterfaces(), (await wayOut())?.host)
}
