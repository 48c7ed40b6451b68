// What the relay does beside circuits, for whoever asks: each service by itself, asked as fast as it answers by one process.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { percentile } from './processes.mjs'

const SERVICES = ['stun', 'reflector', 'relay_json', 'page', 'dht', 'gossip']
const FOR_MS = 3_000
/** The web client, where it has been built; else the page that stands in for it. */
const WEB = fileURLToPath(new URL('../../../apps/web/out', import.meta.url))

export async function services(all) {
  const relay = await all.relay({ web: existsSync(WEB) ? WEB : 'off' })
  const { stun, reflector, peer_id: id } = await (await fetch(`${relay.url}/relay.json`)).json()
  const figures = {}
  for (const service of SERVICES) {
    const peer = all.peer('asker.mjs')
    await peer.ask('prepare', { service, relay: { url: relay.url, tcp: relay.tcp, stun: stun[0], reflector, id } })
    const cpu = relay.cpu()
    const { times, ms } = await peer.ask('ask', { forMs: FOR_MS })
    figures[service] = {
      per_s: Math.round((times.length / ms) * 1_000),
      p99_ms: Math.round(percentile(times, 0.99) * 10) / 10,
      cpu_ms_each: Math.round(((relay.cpu() - cpu) / times.length) * 1e6) / 1_000,
    }
  }
  return { services: figures }
}
