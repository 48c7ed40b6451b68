/** A relayed connection: two flows that live and end together, within the limit that was announced. */
import type { Stream, StreamCloseEvent } from '@libp2p/interface'
import type { CircuitLimit } from '@skein/core'
import type { ChatBudget } from './chat-budget.ts'
import { Flow } from './flow.ts'
import type { CircuitEnds, CloseCause, Passage, RelayRules } from './rules.ts'
import type { Turns } from './turns.ts'

/** For the second side to end when the first has ended in order, ms. */
const LINGER_MS = 30_000

export interface CircuitOptions extends CircuitEnds {
  readonly limit?: CircuitLimit | undefined
  readonly rules: Pick<RelayRules, 'onPassage' | 'onCircuit' | 'onWaited' | 'onBytes'>
  /** Of each side, who asks first: whether bytes of its connection are counted nowhere else. */
  readonly uncounted: readonly boolean[]
  /** Monotonic milliseconds. */
  readonly now: () => number
  readonly turns: Turns
  readonly chat: ChatBudget
  readonly onClosed: () => void
}

interface Side {
  readonly stream: Stream
  readonly isUncounted: boolean
  readonly peer: string
}

export class Circuit implements CircuitEnds {
  readonly from: string
  readonly to: string
  readonly address: string
  readonly #streams: readonly [Stream, Stream]
  readonly #options: CircuitOptions
  readonly #flows: readonly Flow[]
  readonly #startedAt: number
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #lingering: NodeJS.Timeout | undefined
  #open = true

  constructor(streams: readonly [Stream, Stream], options: CircuitOptions) {
    this.#streams = streams
    this.#options = options
    this.from = options.from
    this.to = options.to
    this.address = options.address
    this.#startedAt = options.now()
    const [asking, asked] = streams
    const [asks = false, isAsked = false] = options.uncounted
    const [out, back] = [
      { stream: asking, isUncounted: asks, peer: this.from },
      { stream: asked, isUncounted: isAsked, peer: this.to },
    ]
    this.#flows = [this.#flow(out, back), this.#flow(back, out)]
  }

  start(): void {
    const { limit, rules } = this.#options
    rules.onCircuit(this, { kind: 'opened' })
    if (limit?.seconds !== undefined) this.#timer = setTimeout(() => this.end('time-limit'), limit.seconds * 1_000)
    for (const stream of this.#streams) stream.addEventListener('close', this.#onClose, { once: true })
    for (const flow of this.#flows) flow.start()
    if (this.#streams.some(({ status }) => status === 'aborted' || status === 'reset' || status === 'closed')) this.end('broken')
  }

  get isLimited(): boolean {
    return this.#options.limit !== undefined
  }

  /** Ends both sides at once. Idempotent. */
  end(cause: CloseCause): void {
    if (!this.#open) return
    this.#close(cause)
    const reason = new Error(`the relay has ended the circuit: ${cause}`)
    for (const stream of this.#streams) stream.abort(reason)
  }

  #flow(src: Side, dst: Side): Flow {
    const { rules, chat } = this.#options
    let passed = 0
    return new Flow(
      { src: src.stream, dst: dst.stream },
      {
        mayChat: (bytes) => chat.take(src.peer, bytes),
        now: this.#options.now,
        turns: this.#options.turns,
        sender: src.peer,
        onWaited: this.#options.rules.onWaited,
        onBroken: () => this.end('broken'),
        onBytes: (bytes, kind) => {
          passed += bytes
          if (src.isUncounted) rules.onBytes('in', bytes)
          if (dst.isUncounted) rules.onBytes('out', bytes)
          return this.#pass({ bytes, class: kind, sender: src.peer }, passed)
        },
      },
    )
  }

  #pass(passage: Passage, passed: number): number | undefined {
    const { limit, rules } = this.#options
    if (limit?.bytes !== undefined && passed > limit.bytes) {
      this.end('byte-limit')
      return undefined
    }
    this.#bytes += passage.bytes
    return rules.onPassage(this, passage)
  }

  /** One side is gone: the other is told, after it has been given what was on its way. */
  readonly #onClose = ({ error }: StreamCloseEvent): void => {
    if (!this.#open) return
    if (error !== undefined) {
      this.end('broken')
      return
    }
    if (this.#streams.every(({ status }) => status === 'closed')) this.#close('ended')
    // What is on its way to the other side may still arrive; but it may also never notice that nobody is there.
    else this.#lingering ??= this.#linger()
  }

  /** What waits for a rate may take longer, and is not lost. */
  #linger(): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.#flows.some(({ isWaiting }) => isWaiting)) this.#lingering = this.#linger()
      else this.end('broken')
    }, LINGER_MS)
  }

  #close(cause: CloseCause): void {
    this.#open = false
    clearTimeout(this.#timer)
    clearTimeout(this.#lingering)
    for (const flow of this.#flows) flow.stop()
    for (const stream of this.#streams) stream.removeEventListener('close', this.#onClose)
    const { rules, now, onClosed } = this.#options
    rules.onCircuit(this, { kind: 'closed', cause, lastedMs: now() - this.#startedAt, bytes: this.#bytes })
    onClosed()
  }
}
