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

/**
 * Two contacts who met elsewhere meet on a switch: no router, no default route, no relay. `seen_ms` from the moment the
 * second one is up until the first one shows it as present, `first_message_ms` from there until it has a message,
 * `seen_without_lan` whether they meet although they were told to keep off the network.
 */
export async function lanNoRoute({ scenario, ...options }) {
  const lab = await Laboratory.open(planPair('lan', 'lan'), options)
  try {
    await lab.befriend()
    await lab.moveTo(localNetwork())
    const found = await meetOnLan(lab)
    await Promise.all([lab.a.end(), lab.b.end()])
    const without = await firstSeen(lab, { more: ['--no-lan'], within: UNSEEN_MS })
    return { scenario, ...found, seen_without_lan: without !== undefined }
  } finally {
    await lab.close()
  }
}

async function meetOnLan(lab) {
  const seen = await firstSeen(lab, { within: SEEN_WITHIN_MS })
  if (seen === undefined) return { sent: 0, delivered: 0, lost: 0, doubled: 0, longest_gap_ms: null, seen_ms: null, first_message_ms: null }
  const { messages } = await lab.a.ask(['send', lab.b.account, '--wait', 'delivered', '--timeout', `${SEEN_WITHIN_MS}ms`, '--', 'hello'])
  const seenAfter = seen - lab.b.readyAt
  const conversation = new Conversation(lab)
  await conversation.start()
  await sleep(CALM_MS)
  const [{ created_at, delivered_at }] = messages
  const way = await lab.a.way(lab.b)
  return { ...(await conversation.finish()), seen_ms: seenAfter, first_message_ms: delivered_at - created_at, ...way }
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
    const healed_back_ms = await heal(conversation, Date.now())
    await sleep(CALM_MS)
    return { healed_ms, healed_back_ms, relayed_before, relayed_after: await lab.carriesBetween(lab.a, lab.b, random) }
  })
  return { scenario, ...document }
}
