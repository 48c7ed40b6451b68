/** Prometheus metrics of one relay; none of them names a peer. */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'

export interface MetricSources {
  connections(): number
  reservations(): number
  circuits(): number
  dhtPeers(): number
  gossipMessages(): number
  cards(): number
  stunRequests(): number
}

const GAUGES: readonly (readonly [keyof MetricSources, string, string])[] = [
  ['connections', 'skein_relay_connections', 'Open connections.'],
  ['reservations', 'skein_relay_reservations', 'Devices that can be reached through this relay.'],
  ['circuits', 'skein_relay_circuits', 'Relayed connections that are open.'],
  ['dhtPeers', 'skein_relay_dht_peers', 'Peers in the routing table of the DHT.'],
  ['gossipMessages', 'skein_relay_gossip_messages', 'Gossip messages since the start.'],
  ['cards', 'skein_relay_cards', 'Cards in the card drop.'],
  ['stunRequests', 'skein_relay_stun_requests', 'Answered STUN requests since the start.'],
]

export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  for (const [source, name, help] of GAUGES) {
    const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(sources[source]()) })
  }
  return registry
}
