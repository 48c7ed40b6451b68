/** Turns where an origin has no locks: whoever leads answers. Loaded only there. */
import type { ExclusiveDeps, Turn } from './exclusive.ts'

/** Questions without an answer after which there is no leader. Messages reach hidden tabs at once, whose timers are slowed down. */
const UNANSWERED = 3
/** Time for each answer, ms: of a leader that nobody has heard of yet, and of one that may be busy. */
const ANSWER_MS = 250
const ANSWER_KNOWN_MS = 1_000
/** Between an answer and the next question, ms. */
const ASK_EVERY_MS = 2_000

interface Claim {
  readonly from: string
  readonly since: number
}

type Word =
  | { readonly kind: 'who'; readonly from: string }
  /**
   * `since`: when it took the turn, ms since 1970, or just after the turn before where the clock was set back. Of two who lead the later
   * one stays: the other was frozen meanwhile.
   */
  | ({ readonly kind: 'me' } & Claim)
  | { readonly kind: 'claim'; readonly from: string }
  /** The turn has ended. */
  | { readonly kind: 'gone'; readonly from: string }

const isLater = (one: Claim, other: Claim): boolean => (one.since === other.since ? one.from > other.from : one.since > other.since)

/** Of two who claim at once the smaller id goes first. */
export async function byAsking(
  name: string,
  work: (turn: Turn) => Promise<void>,
  { clock, random, signal, nextTurn }: ExclusiveDeps & { readonly signal: AbortSignal },
): Promise<void> {
  const from = [...random.bytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const channel = new BroadcastChannel(name)
  const lost = new AbortController()
  let waiting: Waiting | undefined = new Waiting(channel, { from, clock, signal })
  let since: number | undefined
  const sayMe = (): void => void (since !== undefined && channel.postMessage({ kind: 'me', from, since }))
  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (lost.signal.aborted) return
    if (since === undefined) waiting?.hear(data)
    else if (data.kind === 'me' && isLater(data, { from, since })) lost.abort()
    else sayMe()
  })
  try {
    if (!(await waiting.over())) return
    since = await nextTurn((last) => Math.max(clock.now(), last + 1))
    waiting = undefined
    sayMe()
    await work({ lost: lost.signal })
  } finally {
    if (since !== undefined && !lost.signal.aborted) channel.postMessage({ kind: 'gone', from })
    channel.close()
  }
}

/** Of one who waits for the turn. */
class Waiting {
  private readonly channel: BroadcastChannel
  private readonly deps: Pick<ExclusiveDeps, 'clock'> & { readonly from: string; readonly signal: AbortSignal }
  private heard = false
  private isKnown = false
  private unanswered = 0
  private isGone = false
  private hurry = new AbortController()

  constructor(channel: BroadcastChannel, deps: Waiting['deps']) {
    this.channel = channel
    this.deps = deps
  }

  /** Whether the turn has come; it has not when the signal ended the wait. */
  async over(): Promise<boolean> {
    const { clock, signal } = this.deps
    while (!signal.aborted && this.unanswered <= UNANSWERED) {
      this.hurry = new AbortController()
      const hurried = { signal: AbortSignal.any([signal, this.hurry.signal]) }
      if (await this.isSilent(hurried)) this.unanswered += 1
      else if (this.heard) {
        this.unanswered = 0
        await clock.sleep(ASK_EVERY_MS, hurried)
      }
      if (this.isGone) this.forgetLeader()
    }
    return !signal.aborted
  }

  hear(word: Word): void {
    if (word.kind === 'gone') {
      this.isGone = true
      this.hurry.abort()
    } else if (word.kind === 'me' || (word.kind === 'claim' && word.from < this.deps.from)) this.heard = true
    if (word.kind === 'me') this.isKnown = true
  }

  private async isSilent(until: { readonly signal: AbortSignal }): Promise<boolean> {
    this.heard = false
    this.channel.postMessage({ kind: this.unanswered < UNANSWERED ? 'who' : 'claim', from: this.deps.from })
    return (await this.deps.clock.sleep(this.isKnown ? ANSWER_KNOWN_MS : ANSWER_MS, until)) && !this.heard
  }

  /** Nobody need be asked any more. */
  private forgetLeader(): void {
    this.isGone = false
    this.isKnown = false
    this.unanswered = UNANSWERED
  }
}
