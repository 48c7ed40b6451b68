// Scenarios on a local network: without any way out, and beside another way.
import { setTimeout as sleep } from 'node:timers/promises'
import { Conversation } from './conversation.mjs'
import { Laboratory } from './laboratory.mjs'
import { localAndMobile, localNetwork, planPair } from './plan.mjs'
import { CALM_MS, converse, heal } from './scenario.mjs'

/** Not seen by then is not seen. */
const SEEN_WITHIN_MS = 30_000
/** Longer than the period of the beacon. */
const UNSEEN_MS = 7_000
const POLL_MS = 100
/** Of a router that is plugged in late. */
const LATE_ADDRESS = '192.168.1.20'
const FAR_ADDRESS = '9.9.9.9'
/** A change of addresses is noticed by then, and what it ends has ended. */
const NOTICED_MS = 2_000

/**
 * Two contacts who met elsewhere meet on a switch: no router, no default route, no relay. `seen_ms` from the moment the
 * second one is up until the first one shows it as present, `first_message_ms` from there until it has a message,
 * `seen_without_lan` whether they meet although they were told to keep off the network, `link_local` how they meet where
 * nobody has an IPv4 address, whether the connection stays when somebody gets one, and whether it is counted and ignored
 * when somebody of another network announces itself.
 */
export async function lanNoRoute({ scenario, ...options }) {
  const lab = await Laboratory.open(planPair('lan', 'lan'), options)
  try {
    await lab.befriend()
    await lab.moveTo(localNetwork())
    const found = await meetOnLan(lab)
    await Promise.all([lab.a.end(), lab.b.end()])
    const without = await firstSeen(lab, { more: ['--no-lan'], within: UNSEEN_MS })
    return { scenario, ...found, seen_without_lan: without !== undefined, link_local: await meetOnLinkLocal(lab) }
  } finally {
    await lab.close()
  }
}

async function meetOnLan(lab) {
  const met = await meet(lab)
  if (met.seen_ms === null) return { sent: 0, delivered: 0, lost: 0, doubled: 0, longest_gap_ms: null, ...met }
  const conversation = new Conversation(lab)
  await conversation.start()
  await sleep(CALM_MS)
  const way = await lab.a.way(lab.b)
  return { ...(await conversation.finish()), ...met, ...way }
}

async function meet(lab) {
  const seen = await firstSeen(lab, { within: SEEN_WITHIN_MS })
  if (seen === undefined) return { seen_ms: null, first_message_ms: null }
  const seen_ms = seen - lab.b.readyAt
  const { messages } = await lab.a.ask(['send', lab.b.account, '--wait', 'delivered', '--timeout', `${SEEN_WITHIN_MS}ms`, '--', 'hello'])
  const [{ created_at, delivered_at }] = messages
  return { seen_ms, first_message_ms: delivered_at - created_at }
}

async function meetOnLinkLocal(lab) {
  await lab.moveTo(localNetwork(null))
  const met = await meet(lab)
  const before = await lab.a.way(lab.b)
  lab.network.addAddress({ box: 'a', name: 'eth0', address: `${LATE_ADDRESS}/24` })
  await sleep(NOTICED_MS)
  const after = await lab.a.way(lab.b)
  return { ...met, ...after, kept: after.since === before.since, off_link_refused: await refusedFromAfar(lab) }
}

/** `b` gets an address of another network and announces itself from there too: whether `a` counts and ignores that. */
async function refusedFromAfar(lab) {
  lab.network.addAddress({ box: 'b', name: 'eth0', address: `${FAR_ADDRESS}/32` })
  for (const end = Date.now() + SEEN_WITHIN_MS; Date.now() < end; await sleep(POLL_MS)) {
    const { refused } = await lab.a.ask(['doctor'])
    if (refused?.['lan-off-link'] > 0) return true
  }
  return false
}

/** Starts both; when `a` first shows `b` as present, milliseconds since 1970. */
async function firstSeen({ a, b }, { more = [], within }) {
  await a.start(more)
  await b.start(more)
  for (const end = Date.now() + within; Date.now() < end; await sleep(POLL_MS)) {
    const { contacts } = await a.ask(['contacts'])
    if (contacts.some(({ contact, online }) => contact === b.account && online)) return Date.now()
  }
  return undefined
}

/** A local network that goes and comes back, beside a mobile network with the default route. */
export async function twoInterfaces({ scenario, ...options }) {
  const document = await converse(localAndMobile(), options, async ({ lab, conversation, random }) => {
    const relayed_before = await lab.carriesBetween(lab.a, lab.b, random)
    lab.network.setLink('a', 'eth0', 'down')
    const healed_ms = await heal(conversation, Date.now())
    lab.network.setLink('a', 'eth0', 'up')
    const back = Date.now()
    const healed_back_ms = await heal(conversation, back)
    const lan_again_ms = await untilLan(lab, back)
    return { healed_ms, healed_back_ms, lan_again_ms, relayed_before, relayed_after: await lab.carriesBetween(lab.a, lab.b, random) }
  })
  return { scenario, ...document }
}

/** How long after `from` `a` reaches `b` over the local network; null when it does not. */
async function untilLan({ a, b }, from) {
  for (; Date.now() - from < SEEN_WITHIN_MS; await sleep(POLL_MS)) {
    if ((await a.way(b)).path === 'lan') return Date.now() - from
  }
  return null
}
