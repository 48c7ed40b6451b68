/** One tab at a time, among all tabs of an origin. */
import type { Clock, Random } from '@skein/core'

export interface ExclusiveDeps {
  readonly clock: Clock
  readonly random: Random
  /** The platform's locks; absent on an origin that is not secure. */
  readonly locks?: Pick<LockManager, 'request'> | undefined
}

export interface Turn {
  /** Aborts when another tab has taken over, because this one did not answer (it was frozen). */
  readonly lost: AbortSignal
}

/**
 * Waits for this tab's turn, then runs `work`; the turn ends with it. At most one turn at a time, but for a tab that was
 * frozen and learns of it late: what it does to shared storage must be fenced there.
 * @param signal ends the wait; `work` has to look at it itself
 */
export function exclusively(
  name: string,
  work: (turn: Turn) => Promise<void>,
  { signal, ...deps }: ExclusiveDeps & { readonly signal: AbortSignal },
): Promise<void> {
  return deps.locks === undefined ? withoutLocks(name, work, { signal, ...deps }) : withLock(deps.locks, name, { work, signal })
}

async function withLock(
  locks: Pick<LockManager, 'request'>,
  name: string,
  { work, signal }: { readonly work: (turn: Turn) => Promise<void>; readonly signal: AbortSignal },
): Promise<void> {
  const lost = new AbortController()
  await locks
    .request(name, { signal }, () => work({ lost: lost.signal }))
    .catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
}

/** Time for a leader to answer, ms. Messages reach hidden tabs at once, whose timers are slowed down to one a minute. */
const ANSWER_MS = 150
/** Questions without an answer after which there is no leader. */
const UNANSWERED = 3

interface Claim {
  readonly from: string
  readonly since: number
}

type Word =
  | { readonly kind: 'who'; readonly from: string }
  /** `since`: when it took the turn, ms since 1970. Of two who lead the later one stays: the other was frozen meanwhile. */
  | ({ readonly kind: 'me' } & Claim)
  | { readonly kind: 'claim'; readonly from: string }

const isLater = (one: Claim, other: Claim): boolean => (one.since === other.since ? one.from > other.from : one.since > other.since)

/** By asking: whoever leads answers. Of two who claim at once the smaller id goes first. */
async function withoutLocks(
  name: string,
  work: (turn: Turn) => Promise<void>,
  { clock, random, signal }: ExclusiveDeps & { readonly signal: AbortSignal },
): Promise<void> {
  const from = [...random.bytes(8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const channel = new BroadcastChannel(name)
  const lost = new AbortController()
  let heard = false
  let since: number | undefined
  const sayMe = (): void => void (since !== undefined && channel.postMessage({ kind: 'me', from, since }))
  channel.addEventListener('message', ({ data }: MessageEvent<Word>) => {
    if (lost.signal.aborted) return
    if (since !== undefined && data.kind === 'me' && isLater(data, { from, since })) lost.abort()
    else if (since !== undefined) sayMe()
    else if (data.kind === 'me' || (data.kind === 'claim' && data.from < from)) heard = true
  })
  const silent = async (word: 'who' | 'claim'): Promise<boolean> => {
    heard = false
    channel.postMessage({ kind: word, from })
    return (await clock.sleep(ANSWER_MS, { signal })) && !heard
  }
  try {
    for (let unanswered = 0; !signal.aborted && unanswered <= UNANSWERED; ) {
      if (await silent(unanswered < UNANSWERED ? 'who' : 'claim')) unanswered += 1
      else unanswered = 0
    }
    if (signal.aborted) return
    since = clock.now()
    sayMe()
    await work({ lost: lost.signal })
  } finally {
    channel.close()
  }
}
