// Something happens to the network in mid-conversation. Each scenario returns what CLI.md says: what was sent, delivered,
// lost and doubled, by texts and ids in both histories, and the longest time in which nothing arrived at one side.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentiles } from './document.mjs'
import { eventually } from './programs.mjs'
import { combine, gatewayOf, place, planPair } from './plan.mjs'
import { CALM_MS, converse, heal } from './scenario.mjs'
import { fileOnTheWay } from './scenario-files.mjs'
import { lanNoRoute, twoInterfaces } from './scenario-lan.mjs'
import { portMapping } from './scenario-mapping.mjs'
import { MESH_SCENARIOS } from './scenario-mesh.mjs'
import { WINDOW_SCENARIOS } from './scenario-window.mjs'

const OUTAGE_MS = 3_000
/** Longer than the 45 s after which a silent peer is shown as gone. */
const SLEEP_MS = 50_000
const JOIN_WITHIN_MS = 60_000
const DIRECT_WITHIN_MS = 60_000

/** Drops what a router forwards, and forgets nothing: a cable that is pulled somewhere further on. */
const CUT = `table inet cut {
  chain forward {
    type filter hook forward priority raw; policy drop;
  }
}`
const MEND = 'delete table inet cut'
const NO_UDP = `table inet noudp {
  chain forward {
    type filter hook forward priority raw;
    meta l4proto udp drop
  }
}`

/** By name; each takes the options of the command line and returns its document. */
export const SCENARIOS = {
  'relay-restart': inPair(['sym', 'sym'], relayRestart),
  'relay-drain': inPair(['web', 'web'], relayDrain),
  'relay-kill': inPair(['sym', 'sym'], relayKill, { relays: 2 }),
  roam: inPair(['cone', 'cone'], roam, { more: () => [place('a2', 'prc')] }),
  reroute: inPair(['cone', 'cone'], reroute, { more: () => [place('a2', 'prc')] }),
  'uplink-flap': inPair(['cone', 'cone'], uplinkFlap),
  sleep: inPair(['cone', 'cone'], fallAsleep),
  // Where TCP finds no hole.
  'udp-dies': inPair(['sym', 'prc'], udpDies),
  'file-roam': inPair(['cone', 'cone'], fileRoam, { more: () => [place('a2', 'prc')] }),
  'lan-no-route': lanNoRoute,
  'two-interfaces': twoInterfaces,
  'port-mapping': portMapping,
  ...MESH_SCENARIOS,
  ...WINDOW_SCENARIOS,
}

/** A scenario in a pair of networks, the first that was asked for or the usual one. */
function inPair(usual, happen, { relays = 1, more = () => [] } = {}) {
  return async ({ pairs, scenario, ...options }) => {
    const kinds = pairs?.[0] ?? usual
    const plan = combine(planPair(...kinds, { relays }), ...more())
    return { scenario, pair: kinds.join(':'), ...(await converse(plan, { ...options, relays, kinds }, happen)) }
  }
}

async function relayRestart({ lab, conversation }) {
  const [relay] = lab.relays
  await relay.end('SIGKILL')
  await sleep(OUTAGE_MS)
  await relay.start()
  const back = Date.now()
  await Promise.all([lab.a, lab.b].map((each) => each.joined(JOIN_WITHIN_MS)))
  const reserved = Date.now() - back
  return { outage_ms: OUTAGE_MS, reserved_again_ms: reserved, healed_ms: await heal(conversation, back) }
}

/** The only relay, which carries every message, is drained and starts again at once, for each try, as an upgrade does it. */
async function relayDrain({ lab, conversation, tries }) {
  const [relay] = lab.relays
  const drained = []
  const gaps = await repeatedly(tries, conversation, async () => {
    drained.push(await relay.drain())
    await relay.start()
  })
  return { drains: tries, circuits: Math.min(...drained.map(({ circuits }) => circuits)), path: (await lab.a.way(lab.b)).path, ...gaps }
}

/** The relay that carries the conversation dies for good. */
async function relayKill({ lab, conversation }) {
  const before = lab.relays.map((_, number) => lab.receivedBy(number))
  await sleep(CALM_MS)
  const [first, second] = lab.relays.map((_, number) => lab.receivedBy(number) - before[number])
  await lab.relays[first >= second ? 0 : 1].end('SIGKILL')
  return { healed_ms: await heal(conversation, Date.now()) }
}

/** From home to a mobile network and back, for each try; the old interface is gone at once, as when Wi-Fi is out of reach. */
async function roam({ lab, conversation, kinds, tries }) {
  const gaps = await repeatedly(tries, conversation, (number) => goTo(lab, kinds, number % 2 === 0))
  return { roams: tries, ...gaps }
}

function goTo({ network }, kinds, toMobile) {
  const home = { port: 'eth0', via: gatewayOf('a', kinds[0]) }
  const mobile = { port: 'eth1', via: gatewayOf('a2', 'prc') }
  const [from, to] = toMobile ? [home, mobile] : [mobile, home]
  network.setLink('a', from.port, 'down')
  network.setLink('a', to.port, 'up')
  network.addRoute({ box: 'a', to: 'default', via: to.via })
}

/** The same with a file on its way, and the relay gone for a while. */
function fileRoam({ lab, kinds }) {
  return fileOnTheWay({ lab }, (toMobile) => goTo(lab, kinds, toMobile))
}

/** The default route changes, for each try, and nothing else: both networks stay. */
async function reroute({ lab, conversation, kinds, tries }) {
  const gaps = await repeatedly(tries, conversation, (number) => {
    const via = number % 2 === 0 ? gatewayOf('a2', 'prc') : gatewayOf('a', kinds[0])
    lab.network.addRoute({ box: 'a', to: 'default', via })
  })
  return { reroutes: tries, ...gaps }
}

async function uplinkFlap({ lab, conversation, tries }) {
  const gaps = await repeatedly(tries, conversation, async () => {
    lab.network.setRules('a-router', CUT)
    await sleep(OUTAGE_MS)
    lab.network.setRules('a-router', MEND)
  })
  return { flaps: tries, outage_ms: OUTAGE_MS, ...gaps }
}

/** Percentiles of the time it takes to heal each time, and how often it did not. */
async function repeatedly(tries, conversation, happen) {
  const gaps = []
  for (let number = 0; number < tries; number += 1) {
    await happen(number)
    gaps.push(await heal(conversation, Date.now()))
    await sleep(CALM_MS)
  }
  const healed = gaps.filter((gap) => gap !== null)
  return { healed_ms: percentiles(healed), not_healed: gaps.length - healed.length }
}

/** The machine of `a` sleeps: its client stands still and nothing gets in or out; whoever uses it does not write. */
async function fallAsleep({ lab, conversation }) {
  conversation.side('a').pause()
  lab.network.setRules('a-router', CUT)
  lab.a.signal('SIGSTOP')
  await sleep(SLEEP_MS)
  lab.network.setRules('a-router', MEND)
  lab.a.signal('SIGCONT')
  const awake = Date.now()
  conversation.side('a').resume()
  return { outage_ms: SLEEP_MS, healed_ms: await heal(conversation, awake) }
}

/** The conversation flows over UDP, and nothing but TCP gets through any more. @throws Error when it never flows over UDP */
async function udpDies({ lab, conversation }) {
  let before
  const isByUdp = async () => {
    before = (await lab.a.way(lab.b)).transport
    return before === 'udp' || before === 'webrtc'
  }
  await eventually('the conversation flows over UDP', isByUdp, DIRECT_WITHIN_MS)
  await sleep(CALM_MS)
  lab.network.setRules('a-router', NO_UDP)
  return { transport_before: before, healed_ms: await heal(conversation, Date.now()) }
}
