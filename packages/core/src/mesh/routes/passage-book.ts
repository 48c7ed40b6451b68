import type { RouteForwardFields } from '../../wire/mesh-route.ts'
import type { MeshAddress } from '../bundle.ts'
import type { LinkId } from '../neighbour.ts'

/** A bundle that has passed here, and the way back. */
export interface Passage {
  readonly address: MeshAddress
  readonly lock: string
  readonly attempt: number
  /** Where it came from first. */
  readonly from: LinkId
  /** Where its tries came from, the latest first: a receipt goes back there. */
  readonly ways: readonly LinkId[]
  readonly at: number
  /** A route over which nothing has come back for so long has failed here, in milliseconds. */
  readonly patienceMs: number
  /** Where it went, if by a route. */
  over: LinkId | undefined
  /** A receipt has passed. */
  answered: boolean
  /** One has passed that answers the bundle itself. */
  returned: boolean
  /** Where a search for a further way came from: what answers it goes back there. */
  search: LinkId | undefined
  /** It came for this node: links over which a search for other ways has come. */
  readonly otherWays: Set<LinkId> | undefined
  /** What opens the lock, once it is known here. */
  cureKey: Uint8Array | undefined
}

/** What a passage is of. */
export type Passing = Pick<RouteForwardFields, 'key' | 'address' | 'lock' | 'attempt'>

/** Passages remembered at most (ME15), 100 bytes each; the first ones are forgotten first. */
export const MAX_PASSAGES = 8_192
/** Ways back of one bundle (ME31): the latest ones and the first, whatever others claim since. */
const MAX_WAYS_BACK = 3
/** No honest bundle is tried so often while its passage is remembered. */
const MAX_ATTEMPT = 16
/** How long a way back is remembered, in milliseconds: longer than its maker waits. */
const PASSAGE_LIFE_MS = 10_000
/** As `Passage.patienceMs`, for messages. */
const UNANSWERED_MS = 2_000

export interface PassageOptions {
  readonly from: LinkId
  readonly now: number
  readonly patienceMs?: number
  readonly isMine?: boolean
}

export class PassageBook {
  private readonly passages = new Map<string, Passage>()

  /** Whether this try has not passed yet. */
  isNew({ key, lock, attempt }: Passing): boolean {
    const before = this.passages.get(key)
    return attempt <= MAX_ATTEMPT && (before === undefined || (before.attempt < attempt && before.lock === lock))
  }

  get size(): number {
    return this.passages.size
  }

  /** Remembers the first passage of each try; `undefined` for what has passed already. */
  open(passing: Passing, { from, now, patienceMs = UNANSWERED_MS, isMine = false }: PassageOptions): Passage | undefined {
    if (!this.isNew(passing)) return undefined
    const { key, address, lock, attempt } = passing
    const passage: Passage = {
      ...{ address: address as MeshAddress, lock, attempt, from, at: now, patienceMs, ways: this.waysBack(key, from) },
      ...{
        over: undefined,
        answered: false,
        returned: false,
        search: undefined,
        otherWays: isMine ? new Set() : undefined,
        cureKey: undefined,
      },
    }
    this.passages.delete(key)
    this.passages.set(key, passage)
    const [first] = this.passages.keys()
    if (this.passages.size > MAX_PASSAGES && first !== undefined) this.passages.delete(first)
    return passage
  }

  private waysBack(key: string, from: LinkId): readonly LinkId[] {
    const ways = [...new Set([from, ...(this.passages.get(key)?.ways ?? [])])]
    return ways.length > MAX_WAYS_BACK ? [...ways.slice(0, MAX_WAYS_BACK - 1), ...ways.slice(-1)] : ways
  }

  get(key: string): Passage | undefined {
    return this.passages.get(key)
  }

  /** Bundles behind one lock that came for this node and whose key is not known yet. */
  *unopened(lock: string): Iterable<string> {
    for (const [key, passage] of this.passages)
      if (passage.lock === lock && passage.otherWays !== undefined && passage.cureKey === undefined) yield key
  }

  /** Passages by a route that nothing came back for, each once; forgets what is too old. */
  unanswered(now: number): Passage[] {
    const failed: Passage[] = []
    for (const [key, passage] of this.passages) {
      if (now - passage.at < UNANSWERED_MS) break
      if (now - passage.at >= PASSAGE_LIFE_MS) this.passages.delete(key)
      if (passage.answered || passage.over === undefined || now - passage.at < passage.patienceMs) continue
      failed.push({ ...passage })
      passage.over = undefined
    }
    return failed
  }
}
