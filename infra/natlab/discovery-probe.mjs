// Runs inside a sandbox: one device listens at one end of a cable, another one announces at the other end, over IPv6 with
// link-local addresses only, no route and no IPv4. Says on stdout which carriers were heard through the cable.
import { setTimeout as sleep } from 'node:timers/promises'
import { LanDiscovery } from '../../packages/node/dist/discovery/index.js'
import { localLinks } from '../../packages/node/dist/discovery/interfaces.js'
import { systemClock } from '../../packages/node/dist/platform/clock.js'
import { must } from './network.mjs'

/** An announcement arrives at once or not at all. */
const HEAR_WITHIN_MS = 5_000
const logger = { debug: () => undefined, child: () => logger }
const CARRIERS = { beacon: { beacon: 25_519, mdns: null }, mdns: { beacon: null, mdns: 5_353 } }

function layCable() {
  must('sysctl', ['-q', '-w', 'net.ipv6.conf.default.accept_dad=0'])
  must('ip', ['link', 'add', 'name', 'here', 'type', 'veth', 'peer', 'name', 'there'])
  for (const name of ['here', 'there']) must('ip', ['link', 'set', 'dev', name, 'up'])
}

/** Both ends, once they have their addresses. */
async function ends() {
  for (const end = performance.now() + HEAR_WITHIN_MS; performance.now() < end; await sleep(50)) {
    const links = localLinks()
    if (links.length === 2) return links
  }
  throw new Error('the cable has no addresses')
}

async function isHeard(ports) {
  const [here, there] = await ends()
  const listener = new LanDiscovery({ clock: systemClock, logger, ports, links: () => [there] })
  const speaker = new LanDiscovery({ clock: systemClock, logger, ports, links: () => [here] })
  const heard = Promise.withResolvers()
  await listener.start({
    announcements: () => [],
    // The sending end hears itself as well; what counts is what came out of the other one.
    heard: (_bytes, { address, zone }) => address === here.address && zone === there.zone && heard.resolve(true),
  })
  await speaker.start({ announcements: () => [Uint8Array.of(1)], heard: () => undefined })
  const found = await Promise.race([heard.promise, sleep(HEAR_WITHIN_MS, false)])
  await Promise.all([listener.stop(), speaker.stop()])
  return found
}

layCable()
const found = {}
for (const [name, ports] of Object.entries(CARRIERS)) found[name] = await isHeard(ports)
process.stdout.write(`${JSON.stringify(found)}\n`)
process.exit(0)
