// What the scenarios have in common: a conversation flows, something happens, and then it is counted.
import { setTimeout as sleep } from 'node:timers/promises'
import { Conversation } from './conversation.mjs'
import { Laboratory } from './laboratory.mjs'

/** A conversation flows this long before anything happens, and after it has healed. */
export const CALM_MS = 4_000
/** Not healed by then is not healed. */
const HEAL_WITHIN_MS = 60_000

/** Runs `happen` in mid-conversation of two clients in the network `plan`; what it returns is added to the counts. */
export async function converse(plan, options, happen) {
  const lab = await Laboratory.open(plan, options)
  try {
    await lab.befriend()
    const conversation = new Conversation(lab)
    await conversation.start()
    await sleep(CALM_MS)
    const found = await happen({ lab, conversation, ...options })
    await sleep(CALM_MS)
    return { ...(await conversation.finish()), ...found }
  } finally {
    await lab.close()
  }
}

/** Milliseconds from `instant` until each side has received something again; null if that does not happen. */
export const heal = async (conversation, instant) => (await conversation.healedAfter(instant, HEAL_WITHIN_MS)) ?? null
