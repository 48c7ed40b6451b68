/** k-of-n erasure coding, systematic: the first k shards are the data. Every adapter passes `erasureContract`. */
export interface ErasureCode {
  /** @param data k shards of equal length, at least 1 byte; returns n - k more. 1 ≤ k < n ≤ 255 @throws RangeError */
  parity(data: readonly Uint8Array[], n: number): readonly Uint8Array[]
  /** @param shards n places, `undefined` where one is missing; returns the first k, or `undefined` with fewer than k of them */
  restore(shards: readonly (Uint8Array | undefined)[], k: number): readonly Uint8Array[] | undefined
}
