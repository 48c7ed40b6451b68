/** Circuits that tickets lead to: each counts as one from the first ticket until it has begun, or nobody can come any more. */
import type { CircuitEnds, RelayRules } from '../swarm/circuit/rules.ts'

interface Held {
  readonly ends: CircuitEnds
  /** Tickets and sockets that wait. */
  uses: number
  settle(): void
}

export class HeldCircuits {
  readonly #rules: Pick<RelayRules, 'holdCircuit'>
  readonly #held = new Map<string, Held>()

  constructor(rules: Pick<RelayRules, 'holdCircuit'>) {
    this.#rules = rules
  }

  /** Another ticket leads to it. */
  take(name: string, ends: CircuitEnds): void {
    const held = this.#held.get(name) ?? { ends, uses: 0, settle: this.#rules.holdCircuit(ends) }
    held.uses += 1
    this.#held.set(name, held)
  }

  /** A ticket, or the socket that has come by it, waits no more. */
  give(name: string): void {
    const held = this.#held.get(name)
    if (held === undefined) return
    held.uses -= 1
    if (held.uses > 0) return
    this.#held.delete(name)
    held.settle()
  }

  /** Asks as though it was not there: the second of two ends is not one circuit more. */
  without<T>(name: string, ask: () => T): T {
    const held = this.#held.get(name)
    if (held === undefined) return ask()
    held.settle()
    try {
      return ask()
    } finally {
      held.settle = this.#rules.holdCircuit(held.ends)
    }
  }
}
