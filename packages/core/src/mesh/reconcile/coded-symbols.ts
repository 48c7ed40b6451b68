/**
 * Rateless coded symbols (Yang, Gilad, Alizadeh: "Practical Rateless Set Reconciliation", SIGCOMM 2024) over 8-byte keys.
 * A set has an endless sequence of symbols; the difference of two sets' symbols is the symbols of their difference, and
 * about 1.4 of them per differing key give it away. No maintained library fits: the one there is needs WebAssembly and
 * hashes with a key that is public.
 */

/** Symbols of a set, from some index on; one number per field and symbol, so that thousands cost no objects. */
export interface CodedSymbols {
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly check: Uint32Array
  /** Number of keys in it, modulo 256. */
  readonly count: Uint8Array
}

/** A key as two 32-bit halves. */
export interface KeyHalves {
  readonly high: number
  readonly low: number
}

export function noSymbols(length: number): CodedSymbols {
  const words = () => new Uint32Array(length)
  return { high: words(), low: words(), check: words(), count: new Uint8Array(length) }
}

/** Adds (`sign` 1) or takes out (-1) a key in all symbols it belongs to. @param from index of the first of `symbols` */
export function toggle(
  symbols: CodedSymbols,
  key: KeyHalves,
  { salt, sign, from = 0 }: { salt: number; sign: number; from?: number },
): void {
  const check = checkOf(key, salt)
  const end = from + symbols.count.length
  for (const walk = new IndexWalk(check); walk.index < end; walk.advance()) {
    const at = walk.index - from
    if (at < 0) continue
    symbols.high[at] = at32(symbols.high, at) ^ key.high
    symbols.low[at] = at32(symbols.low, at) ^ key.low
    symbols.check[at] = at32(symbols.check, at) ^ check
    symbols.count[at] = (symbols.count[at] ?? 0) + sign
  }
}

/**
 * The symbols of one set, worked out in blocks that double: whoever wants a few at a time costs hardly more passes over
 * the set than whoever wants all at once.
 */
export class SymbolSequence {
  private readonly keys: Iterable<KeyHalves>
  private readonly salt: number
  private known = noSymbols(0)

  constructor(keys: Iterable<KeyHalves>, salt: number) {
    this.keys = keys
    this.salt = salt
  }

  slice(from: number, count: number): CodedSymbols {
    const have = this.known.count.length
    if (from + count > have) this.extend(Math.max(from + count, 2 * have))
    const { high, low, check, count: counts } = this.known
    const part = [from, from + count] as const
    return { high: high.slice(...part), low: low.slice(...part), check: check.slice(...part), count: counts.slice(...part) }
  }

  private extend(length: number): void {
    const from = this.known.count.length
    const fresh = noSymbols(length - from)
    for (const key of this.keys) toggle(fresh, key, { salt: this.salt, sign: 1, from })
    this.known = joined(this.known, fresh)
  }
}

export function joined(a: CodedSymbols, b: CodedSymbols): CodedSymbols {
  const both = noSymbols(a.count.length + b.count.length)
  for (const [from, part] of [[0, a] as const, [a.count.length, b] as const]) {
    both.high.set(part.high, from)
    both.low.set(part.low, from)
    both.check.set(part.check, from)
    both.count.set(part.count, from)
  }
  return both
}

export function at32(words: Uint32Array, at: number): number {
  return words[at] ?? 0
}

/** Keyed by a salt of the link, so that keys which collide on one link do not collide on the next. */
export function checkOf({ high, low }: KeyHalves, salt: number): number {
  return mix(mix(high ^ salt) + low)
}

/** Equal sets have one sum, and others hardly ever. */
export function sumOf(keys: readonly KeyHalves[], salt: number): number {
  return keys.reduce((sum, key) => (sum + checkOf(key, salt)) >>> 0, 0)
}

/** The indices a key belongs to: 0, then further and further apart; index i with probability 1 / (1 + i / 2). */
export class IndexWalk {
  index = 0
  private state: number

  constructor(seed: number) {
    this.state = seed
  }

  advance(): void {
    this.state = (this.state + 0x9e3779b9) >>> 0
    const uniform = (mix(this.state) + 1) / 2 ** 32
    this.index += Math.max(1, Math.ceil((this.index + 1.5) * (1 / Math.sqrt(uniform) - 1)))
  }
}

/** Finalizer of MurmurHash3 (Austin Appleby, public domain): every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let mixed = value >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
