/** Emptying a relay before it goes: nobody new, everybody told, what was on its way delivered. */
import type { Logger } from '@skein/core'
import type { RelayStack } from '@skein/node/swarm'
import type { OperatorRules } from './admission/operator-rules.ts'

export interface Drained {
  readonly connections: number
  readonly circuits: number
  readonly took_ms: number
}

/**
 * Members keep what is not acknowledged and send it again over another relay, or this one when it is back; so nothing is
 * waited for but the closing itself, which tells them at once.
 */
export async function drain(stack: RelayStack, rules: OperatorRules, logger: Logger): Promise<Drained> {
  const started = performance.now()
  rules.draining = true
  const { connections, circuits } = stack.counts()
  logger.info('draining', { connections, circuits })
  // At once: a circuit that closes in order would first wait for its ends, who do not know yet that they should move.
  stack.endCircuits()
  await stack.disconnect()
  return { connections, circuits, took_ms: Math.round(performance.now() - started) }
}
