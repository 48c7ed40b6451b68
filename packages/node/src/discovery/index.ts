/** Finding devices on local networks: core's Discovery port over UDP beacons and mDNS, without any server. */
export { LanDiscovery, type LanDiscoveryOptions } from './lan-discovery.ts'
