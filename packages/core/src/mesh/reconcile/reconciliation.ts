/** One comparison of two sets of keys, seen from either side; docs/spec/mesh.md has the exchange. */
import { MAX_SYMBOLS, type SketchFields, SYMBOL_BYTES } from '../../wire/mesh.ts'
import { at32, type CodedSymbols, type KeyHalves, noSymbols, SymbolSequence } from './coded-symbols.ts'
import { DifferenceDecoder } from './difference.ts'
import { estimatedDifference, pulls } from './difference-estimate.ts'

/** Symbols that go along with the first frame: equal sets show at once, for 80 bytes. */
const FIRST_SYMBOLS = 3

/** Requests for more symbols that are answered, and frames with symbols that are read (ME7): each costs a pass over the set; from a wrong estimate it takes some 50 to the last symbol. */
export const MAX_REQUESTS = 64

/** Two are usual, and some ten where the estimate was far too low. */
const FEW_REQUESTS = 8

/** Of an estimate that is off by a quarter: the symbols of one comparison suffice for some 2,900. */
const MOST_DIFFERENCES = 2_000

/** Keys are named by their 16 hex digits. */
export type Found =
  | { readonly kind: 'difference'; readonly theirs: readonly string[]; readonly ours: readonly string[] }
  | { readonly kind: 'more'; readonly symbols: number }
  /** To be compared share by share. */
  | { readonly kind: 'too-many' }
  | { readonly kind: 'given-up' }

/** Which keys are compared: those whose first 2 × depth bits are `share`. */
export type Part = Pick<SketchFields, 'depth' | 'share'>

export const WHOLE: Part = { depth: 0, share: 0 }

export function isIn({ depth, share }: Part, { high }: KeyHalves): boolean {
  return depth === 0 || high >>> (32 - 2 * depth) === share
}

export class Reconciliation {
  private readonly keys: readonly KeyHalves[]
  private readonly salt: number
  private readonly part: Part
  private readonly symbols: SymbolSequence
  private readonly decoder: DifferenceDecoder
  private estimate = 0
  private sent = 0
  private requests = 0
  /** Symbols of the other side that are expected at most. */
  private asked = FIRST_SYMBOLS

  /** @param all keys; of which only those of the part count */
  constructor(all: readonly KeyHalves[], salt: number, part = WHOLE) {
    this.keys = all.filter((key) => isIn(part, key))
    this.salt = salt
    this.part = part
    this.symbols = new SymbolSequence(this.keys, salt)
    this.decoder = new DifferenceDecoder(this.symbols, salt)
  }

  /** The first symbols of our set. */
  begin(): SketchFields {
    return { ...this.next(FIRST_SYMBOLS), pulls: pulls(this.keys, this.salt) }
  }

  /** Whether more was asked for, by either side, than an honest comparison seldom needs. */
  get isLong(): boolean {
    return this.requests > FEW_REQUESTS
  }

  /** Further symbols, as many as were asked for within the limit; nothing once it is reached, or after too many requests. */
  goOn(count: number): SketchFields | undefined {
    this.requests += 1
    if (this.sent >= MAX_SYMBOLS || this.requests > MAX_REQUESTS) return undefined
    return this.next(Math.min(count, MAX_SYMBOLS - this.sent))
  }

  /** Takes symbols of the other side's set. @param most differences that are worth it */
  take(sketch: SketchFields, most = MOST_DIFFERENCES): Found {
    const count = sketch.symbols.length / SYMBOL_BYTES
    this.requests += 1
    if (sketch.from !== this.decoder.received || count === 0 || count > this.asked || this.requests > MAX_REQUESTS)
      return { kind: 'given-up' }
    this.asked = 0
    if (sketch.pulls.length > 0) this.estimate = estimatedDifference(pulls(this.keys, this.salt), sketch.pulls)
    if (this.estimate > Math.min(most, MOST_DIFFERENCES)) return { kind: 'too-many' }
    const difference = this.decoder.add(unpacked(sketch.symbols))
    if (difference !== undefined) return { kind: 'difference', theirs: difference.theirs.map(digits), ours: difference.ours.map(digits) }
    const symbols = Math.min(this.decoder.missing(this.estimate, this.requests - 1), MAX_SYMBOLS - this.decoder.received)
    this.asked = symbols
    return symbols > 0 ? { kind: 'more', symbols } : { kind: 'too-many' }
  }

  private next(count: number): SketchFields {
    const from = this.sent
    this.sent += count
    return { salt: this.salt, from, symbols: packed(this.symbols.slice(from, count)), pulls: new Uint8Array(0), ...this.part }
  }
}

/** @param text hex, the first 16 digits count */
export function keyHalves(text: string): KeyHalves {
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8, 16), 16) }
}

function digits({ high, low }: KeyHalves): string {
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
}

function packed({ high, low, check, count }: CodedSymbols): Uint8Array {
  const view = new DataView(new ArrayBuffer(count.length * SYMBOL_BYTES))
  for (let at = 0; at < count.length; at += 1) {
    view.setUint32(at * SYMBOL_BYTES, at32(high, at))
    view.setUint32(at * SYMBOL_BYTES + 4, at32(low, at))
    view.setUint32(at * SYMBOL_BYTES + 8, at32(check, at))
    view.setUint8(at * SYMBOL_BYTES + 12, count[at] ?? 0)
  }
  return new Uint8Array(view.buffer)
}

function unpacked(bytes: Uint8Array): CodedSymbols {
  const symbols = noSymbols(bytes.length / SYMBOL_BYTES)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < symbols.count.length; at += 1) {
    symbols.high[at] = view.getUint32(at * SYMBOL_BYTES)
    symbols.low[at] = view.getUint32(at * SYMBOL_BYTES + 4)
    symbols.check[at] = view.getUint32(at * SYMBOL_BYTES + 8)
    symbols.count[at] = view.getUint8(at * SYMBOL_BYTES + 12)
  }
  return symbols
}
