// Measures one pair of networks: fresh identities become contacts, and then, try for try, both clients start anew and one
// message waits for the one who comes second.
import { setTimeout as sleep } from 'node:timers/promises'
import { randomText } from './chance.mjs'
import { Laboratory } from './laboratory.mjs'
import { planPair } from './plan.mjs'

const JOIN_WITHIN_MS = 20_000
/** A first message that takes longer is not delivered. */
const DELIVER_WITHIN_MS = 30_000
/** Ways that count as direct when the relay's counters agree. */
const DIRECT = ['lan', 'direct', 'mapped', 'punched']
/** What is sent each way to see whether the relay carries it: text cannot be compressed below three quarters. */
const BURST = { messages: 3, bytes: 40_000 }
/** Payload that passes a relay is counted in full; half of it is far from both «all» and «only pings». */
const RELAYED_SHARE = 0.5
const POLL_MS = 100

/** @returns {Promise<{ delivered: boolean, direct: boolean, path: string, transport: string | null, first?: number, directAfter?: number, error?: string }[]>} */
export async function measurePair([kindA, kindB], options) {
  const lab = await Laboratory.open(planPair(kindA, kindB), options)
  try {
    await lab.befriend()
    const tries = []
    for (let number = 0; number < options.tries; number += 1) {
      const sides = number % 2 === 0 ? [lab.a, lab.b] : [lab.b, lab.a]
      tries.push(await oneTry(lab, sides, options).catch(failed))
    }
    return tries
  } catch (error) {
    return [failed(error)]
  } finally {
    await lab.close()
  }
}

const failed = (error) => ({ delivered: false, direct: false, path: 'none', transport: null, error: error.message.split('\n')[0] })

async function oneTry(lab, [waiting, coming], { random, patience }) {
  await Promise.all([waiting.end(), coming.end()])
  await waiting.start()
  await waiting.joined(JOIN_WITHIN_MS)
  const [{ id }] = (await waiting.ask(['send', coming.account, '--', 'the first message'])).messages
  await coming.start()
  const watched = watch(coming, waiting, coming.readyAt + patience)
  await waiting.ask(['wait', id, '--state', 'delivered', '--timeout', `${DELIVER_WITHIN_MS}ms`])
  const { received_at } = (await coming.messages(waiting)).find((each) => each.id === id)
  const claim = await watched
  const relayed = [await isRelayed(lab, [waiting, coming], random), await isRelayed(lab, [coming, waiting], random)]
  const direct = !relayed.includes(true)
  const way = await coming.way(waiting)
  return {
    delivered: true,
    direct,
    ...way,
    first: received_at - coming.readyAt,
    // A client that does not know that it is direct has it from the counters, later.
    ...(direct ? { directAfter: (claim ?? Date.now()) - coming.readyAt } : {}),
  }
}

/** The instant at which `self` says that it reaches `other` directly; `undefined` if it does not until `deadline`. */
async function watch(self, other, deadline) {
  while (Date.now() < deadline) {
    const { path } = await self.way(other)
    if (DIRECT.includes(path)) return Date.now()
    await sleep(POLL_MS)
  }
  return undefined
}

/** Whether the relay carries what `from` sends to `to`, by the relay's packet counters alone. @throws Error if it does not arrive */
async function isRelayed(lab, [from, to], random) {
  const before = lab.received()
  for (let number = 0; number < BURST.messages; number += 1) {
    await from.ask(['send', to.account, '--wait', 'delivered', '--', '-'], randomText(random, BURST.bytes))
  }
  if (process.env.NATLAB_TRACE) console.error('relay received', lab.received() - before)
  return lab.received() - before > BURST.messages * BURST.bytes * RELAYED_SHARE
}
