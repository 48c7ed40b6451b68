/**
 * What is large goes in pieces where that is no worse than going whole: over ways that share no node, or with carriers that
 * hold one piece each. Says how it went, and why not in pieces.
 */
import type { Logger, Primitives, Random } from '../../ports/index.ts'
import { type BundleFields, decodeBundle, encodeBundle } from '../../wire/mesh-bundle.ts'
import { type BundleHeader, bundleHeader } from '../bundle.ts'
import type { LinkId } from '../neighbour.ts'
import { cutPieces, type ErasureCode, planCarried, planPieces } from '../pieces/index.ts'
import type { Route } from '../routes/index.ts'

/** Envelopes below go whole, in bytes: what surrounds a piece would be most of it (ME32). */
export const LARGE_BYTES = 2_048
/** What pieces over live ways may cost, in lengths of the whole: a lost one is sent again, so they need little to spare. */
const LIVE_BUDGET = 1.6

export interface PieceParts {
  readonly primitives: Pick<Primitives, 'sha256' | 'aeadSeal' | 'aeadOpen'>
  /** Loads the code. */
  code(): Promise<ErasureCode>
}

/** One piece of a bundle, a bundle itself. */
export interface Part {
  readonly header: BundleHeader
  readonly bytes: Uint8Array
  /** Pieces that make the whole. */
  readonly needed: number
  /** The way it is to go. */
  readonly over?: LinkId | undefined
  /** Copies it starts with, the one that stays here included. */
  readonly copies?: number
}

/** How large messages made here have gone since the start. */
export interface SpreadCounts {
  /** In pieces over separate ways, and with separate carriers. */
  overWays: number
  overCarriers: number
  /** Whole: pieces would have been worse; or there was one way only, so that those on it saw the whole envelope. */
  asCopies: number
  overOneWay: number
}

export class Spreader {
  readonly counts: SpreadCounts = { overWays: 0, overCarriers: 0, asCopies: 0, overOneWay: 0 }
  private readonly random: Random
  private readonly parts: PieceParts | undefined

  private readonly logger: Logger

  constructor(parts: PieceParts | undefined, { random, logger }: { readonly random: Random; readonly logger: Logger }) {
    this.parts = parts
    this.random = random
    this.logger = logger
  }

  /** @param ways that share no node as far as is known @returns a piece for each of the best ways; nothing when it is to go whole */
  async overWays(bundle: Uint8Array, ways: readonly Route[]): Promise<readonly Part[] | undefined> {
    const fields = this.large(bundle)
    // Without any way the whole looks for one.
    if (fields === undefined || ways.length === 0) return undefined
    const survival = ways.reduce((sum, { quality }) => sum + quality, 0) / ways.length
    const plan = planPieces({ survival, paths: ways.length, budget: LIVE_BUDGET, bytes: fields.sealed.length })
    if (plan.kind !== 'pieces') return this.whole(plan.kind)
    const pieces = await this.cut(fields, plan)
    if (pieces !== undefined) this.counts.overWays += 1
    return pieces?.map((part, at) => ({ ...part, over: ways[at]?.link }))
  }

  /** @param copies that the whole would start with, the one that stays here included @returns pieces to leave to carriers; nothing when it is to go whole */
  async overCarriers(
    bundle: Uint8Array,
    { carriers, survival, copies }: { readonly carriers: number; readonly survival: number; readonly copies: number },
  ): Promise<readonly Part[] | undefined> {
    const fields = this.large(bundle)
    if (fields === undefined || carriers === 0) return undefined
    const plan = planCarried({ survival, paths: carriers, budget: copies - 1, bytes: fields.sealed.length })
    if (plan.kind !== 'pieces') return this.whole(plan.kind)
    const pieces = await this.cut(fields, plan)
    if (pieces !== undefined) this.counts.overCarriers += 1
    return pieces?.map((part) => ({ ...part, copies: plan.copies + 1 }))
  }

  private whole(kind: 'copies' | 'one-path'): undefined {
    this.counts[kind === 'copies' ? 'asCopies' : 'overOneWay'] += 1
  }

  private large(bundle: Uint8Array): BundleFields | undefined {
    const fields = decodeBundle(bundle)
    return this.parts !== undefined && fields.kind === 'envelope' && fields.sealed.length >= LARGE_BYTES ? fields : undefined
  }

  private async cut(fields: BundleFields, plan: { readonly k: number; readonly n: number }): Promise<readonly Part[] | undefined> {
    const { parts, random } = this
    const code = await this.code()
    if (parts === undefined || code === undefined) return undefined
    const { primitives } = parts
    return cutPieces(fields.sealed, plan, { primitives, random, code }).map((sealed) => {
      const bytes = encodeBundle({ ...fields, kind: 'piece', sealed })
      return { header: bundleHeader(bytes, primitives), bytes, needed: plan.k }
    })
  }

  /** Nothing when it does not load: then what is large goes whole. */
  private async code(): Promise<ErasureCode | undefined> {
    try {
      return await this.parts?.code()
    } catch (error) {
      this.logger.warn('mesh-no-pieces', { reason: String(error) })
      return undefined
    }
  }
}
