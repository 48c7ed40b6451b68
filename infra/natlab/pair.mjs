// Measures one pair of networks: fresh identities become contacts, and then, try for try, both clients start anew and one
// message waits for the one who comes second.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { FOLDER, Laboratory } from './laboratory.mjs'
import { planPair } from './plan.mjs'

const JOIN_WITHIN_MS = 20_000
/** A first message that takes longer is not delivered. */
const DELIVER_WITHIN_MS = 30_000
/** Ways that count as direct when the relay's counters agree. */
const DIRECT = ['lan', 'direct', 'mapped', 'punched']
const POLL_MS = 250
/** While the two look for each other no command begins: each takes as much of the processor as they do. They say later since when. */
const UNDISTURBED_MS = 1_500
/** A dial by WebRTC is given up after 15 s, and why says then what came of it, on the side that has left it to the other one too. */
const REASONS_WITHIN_MS = 20_000
const FILE_WITHIN = '90s'

/**
 * @returns {Promise<{ file: object | null, tries: { delivered: boolean, direct: boolean, path: string, transport: string | null,
 *   claims?: { a: object, b: object }, first?: number, directAfter?: number, error?: string }[] }>}
 */
export async function measurePair([kindA, kindB], options) {
  const lab = await Laboratory.open(planPair(kindA, kindB), options)
  try {
    await lab.befriend()
    const tries = []
    for (let number = 0; number < options.tries; number += 1) {
      const sides = number % 2 === 0 ? [lab.a, lab.b] : [lab.b, lab.a]
      tries.push(await oneTry(lab, sides, { ...options, explains: tries.every(({ direct }) => direct) }).catch(failed))
    }
    return { tries, file: options.file === 0 ? null : await sendFile(lab, options.file).catch(fileFailed) }
  } catch (error) {
    // Who cannot even become contacts delivers nothing.
    return { tries: Array.from({ length: options.tries }, () => failed(error)), file: null }
  } finally {
    await lab.close()
  }
}

/** From `a` to `b` by the way that stands, to disk; as long as both commands take. */
async function sendFile({ a, b }, megabytes) {
  const file = `${FOLDER}/file.bin`
  writeFileSync(file, randomBytes(megabytes * 1_000_000))
  const start = Date.now()
  const [sent, received] = await Promise.all([
    a.ask(['send-file', b.account, file, '--wait', '--timeout', FILE_WITHIN]),
    b.ask(['receive', '--dir', `${FOLDER}/received`, '--from', a.account, '--once', '--timeout', FILE_WITHIN]),
  ])
  const took = Date.now() - start
  const whole = sent.sha256 === received.sha256 && received.state === 'done'
  return { megabytes, whole, ms: took, mb_per_s: Math.round((megabytes * 1_000) / took), path: (await a.way(b)).path }
}

const fileFailed = (error) => ({ whole: false, error: error.message.split('\n')[0] })

const failed = (error) => ({ delivered: false, direct: false, path: 'none', transport: null, error: error.message.split('\n')[0] })

/** @param {boolean} options.explains whether one that stays relayed is waited for until both sides know why */
export async function oneTry(lab, [waiting, coming], { random, patience, explains }) {
  await Promise.all([waiting.end(), coming.end()])
  await waiting.start()
  await waiting.joined(JOIN_WITHIN_MS)
  const [{ id }] = (await waiting.ask(['send', coming.account, '--', 'the first message'])).messages
  const arrived = waiting.ask(['wait', id, '--state', 'delivered', '--timeout', `${DELIVER_WITHIN_MS}ms`])
  arrived.catch(() => undefined)
  await coming.start()
  await Promise.all([arrived, sleep(UNDISTURBED_MS)])
  const { received_at } = (await coming.messages(waiting)).find((each) => each.id === id)
  const claim = await directSince(coming, waiting, coming.readyAt + patience)
  const direct = !(await lab.carriesBetween(waiting, coming, random))
  const claims = await claimsOf([waiting, coming], direct || !explains ? 0 : REASONS_WITHIN_MS)
  const { path, transport } = claims[coming.box]
  // A client that does not know that it is direct has it from the counters, later.
  const directAfter = direct ? { directAfter: (claim ?? Date.now()) - coming.readyAt } : {}
  return { delivered: true, direct, path, transport, claims, first: received_at - coming.readyAt, ...directAfter }
}

/** Since when `self` says that it uses a direct way to `other`; `undefined` if it does not until `deadline`. */
async function directSince(self, other, deadline) {
  for (;;) {
    const { path, since } = await self.way(other)
    if (DIRECT.includes(path)) return since ?? Date.now()
    if (Date.now() >= deadline) return undefined
    await sleep(POLL_MS)
  }
}

/** What each side says of its way to the other, by box, once every better rung has been tried, or `within` ms have passed. */
async function claimsOf([one, other], within) {
  const end = Date.now() + within
  for (;;) {
    const [its, theirs] = await Promise.all([one.way(other), other.way(one)])
    const isOpen = [its, theirs].some(({ reasons }) => reasons.some(({ outcome }) => outcome === 'not-tried' || outcome === 'other-side'))
    if (!isOpen || Date.now() >= end) return { [one.box]: its, [other.box]: theirs }
    await sleep(POLL_MS)
  }
}

/** Whether what a side says of its way is what the relay has counted. */
export const isTrue = ({ path }, direct) => DIRECT.includes(path) === direct
