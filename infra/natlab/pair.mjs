// Measures one pair of networks: fresh identities become contacts, and then, try for try, both clients start anew and one
// message waits for the one who comes second.
import { setTimeout as sleep } from 'node:timers/promises'
import { Laboratory } from './laboratory.mjs'
import { planPair } from './plan.mjs'

const JOIN_WITHIN_MS = 20_000
/** A first message that takes longer is not delivered. */
const DELIVER_WITHIN_MS = 30_000
/** Ways that count as direct when the relay's counters agree. */
const DIRECT = ['lan', 'direct', 'mapped', 'punched']
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
    // Who cannot even become contacts delivers nothing.
    return Array.from({ length: options.tries }, () => failed(error))
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
  const direct = !(await lab.carriesBetween(waiting, coming, random))
  const { path, transport } = await coming.way(waiting)
  return {
    delivered: true,
    direct,
    path,
    transport,
    first: received_at - coming.readyAt,
    // A client that does not know that it is direct has it from the counters, later.
    ...(direct ? { directAfter: (claim ?? Date.now()) - coming.readyAt } : {}),
  }
}

/** Since when `self` says that it reaches `other` directly; `undefined` if it does not until `deadline`. */
async function watch(self, other, deadline) {
  while (Date.now() < deadline) {
    const { path, since } = await self.way(other)
    if (DIRECT.includes(path)) return since ?? Date.now()
    await sleep(POLL_MS)
  }
  return undefined
}
