/** Emptying a relay before it goes: nobody new, everybody told, what was on its way delivered. */
import type { Logger } from '@skein/core'
import type { RelayStack } from '@skein/node/swarm'
import type { OperatorRules } from './admission/operator-rules.ts'

/** For members to move their circuits to another relay: a dial and two handshakes each. Milliseconds, in all. */
const moveWithin = (circuits: number): number => Math.min(30_000, 3_000 + 60 * circuits)
/** For those who are told when there is little time: the process is to end within 5 s of the signal. Milliseconds, in all. */
const FAREWELL_MS = 1_000
/** Between two looks whether they have. */
const LOOK_EVERY_MS = 100

export interface Drained {
  readonly connections: number
  readonly circuits: number
  readonly took_ms: number
}

/**
 * Everybody is told first: who has another relay opens circuits there before the ones here end. Members keep what is not
 * acknowledged and send it again over another relay, or this one when it is back; so the rest is ended without a wait.
 */
export async function drain(stack: RelayStack, rules: OperatorRules, logger: Logger): Promise<Drained> {
  const started = performance.now()
  rules.draining = true
  const { connections, circuits } = stack.counts()
  logger.info('draining', { connections, circuits })
  // Who does not listen keeps nobody waiting whose circuits have been moved already.
  await Promise.all([stack.giveNotice(moveWithin(circuits)), emptied(stack, started + moveWithin(circuits))])
  // At once: a circuit that closes in order would first wait for its ends, who do not know yet that they should move.
  stack.endCircuits()
  await stack.disconnect()
  return { connections, circuits, took_ms: Math.round(performance.now() - started) }
}

/** The relay ends at once, by a signal: everybody is told all the same, and whoever has another relay moves if it is quick. */
export async function farewell(stack: Pick<RelayStack, 'counts' | 'giveNotice'>, rules: Pick<OperatorRules, 'draining'>): Promise<void> {
  rules.draining = true
  const until = performance.now() + FAREWELL_MS
  await Promise.race([
    Promise.all([stack.giveNotice(FAREWELL_MS), emptied(stack, until)]),
    new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref()),
  ])
}

/** Until nobody is relayed any more, or the time is over. Who has no other relay goes on over this one until then. */
async function emptied(stack: Pick<RelayStack, 'counts'>, until: number): Promise<void> {
  while (stack.counts().circuits > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
}
