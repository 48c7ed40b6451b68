import { isSkeinError } from '../../errors/index.ts'
import type { Logger, Primitives } from '../../ports/index.ts'
import { decodeBundle } from '../../wire/mesh-bundle.ts'
import type { BundleKey } from '../bundle.ts'
import { cureLock } from '../cure-book.ts'
import type { PieceInbox } from './piece-inbox.ts'

/** Envelopes that are being opened at once (ME20); what comes beyond is left for another time. */
const MAX_OPENING = 64
/** Cure keys of what was opened here lately (ME20), so that a second copy is answered at once. */
const MAX_OPENED = 4_096

export interface OpenerDeps {
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly logger: Logger
  /** As MeshServiceDeps.open. */
  open(envelope: Uint8Array): Promise<Uint8Array | undefined>
  /** As `open`, for part of a file. */
  openChunk?(sealed: Uint8Array): Promise<Uint8Array | undefined>
  /** Where pieces are put together, if they are. */
  readonly pieces: PieceInbox | undefined
  /** Pieces behind a lock have become a whole that opens it. */
  onJoined(lock: string, cureKey: Uint8Array): void
}

/** What has come of a bundle. */
export interface Opening {
  /** Of its lock, once it is open. */
  readonly cureKey: Uint8Array | undefined
  /** It may open another time. */
  readonly mayComeAgain: boolean
}

const LATER: Opening = { cureKey: undefined, mayComeAgain: true }
/** It is one piece of several, or opens never. */
const FINAL: Opening = { cureKey: undefined, mayComeAgain: false }

/** A bundle that has come for this node. */
export interface Arrival {
  readonly lock: string
  readonly key: BundleKey
  /** Encoded. */
  readonly bundle: Uint8Array
  /** The neighbour it came from. */
  readonly source: string
}

/** Opens what has come for this node, within bounds, and remembers the keys. */
export class Opener {
  private readonly deps: OpenerDeps
  private readonly opened = new Map<string, Uint8Array>()
  private opening = 0

  constructor(deps: OpenerDeps) {
    this.deps = deps
  }

  /** The key behind a lock that was opened here lately. */
  known(lock: string): Uint8Array | undefined {
    return this.opened.get(lock)
  }

  async open({ lock, key, bundle, source }: Arrival): Promise<Opening> {
    if (this.opening >= MAX_OPENING) return LATER
    this.opening += 1
    try {
      const { kind, sealed } = decodeBundle(bundle)
      const content = kind === 'piece' ? await this.deps.pieces?.add(sealed, { source, key }) : sealed
      if (content === undefined) return FINAL
      const cureKey = await (kind === 'chunk' ? this.deps.openChunk?.(content) : this.deps.open(content))
      // A lock that the key does not open was put there by somebody else.
      if (cureKey === undefined || cureLock(cureKey, this.deps.primitives) !== lock) return FINAL
      this.remember(lock, cureKey)
      if (kind === 'piece') this.deps.onJoined(lock, cureKey)
      return { cureKey, mayComeAgain: false }
    } catch (error) {
      this.deps.logger.warn('mesh-open-failed', { reason: String(error) })
      return isSkeinError(error, 'BAD_FRAME') || isSkeinError(error, 'FRAME_TOO_LARGE') ? FINAL : LATER
    } finally {
      this.opening -= 1
    }
  }

  private remember(lock: string, cureKey: Uint8Array): void {
    this.opened.set(lock, cureKey)
    const [first] = this.opened.keys()
    if (this.opened.size > MAX_OPENED && first !== undefined) this.opened.delete(first)
  }
}
