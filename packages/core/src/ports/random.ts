/** Randomness. */
export interface Random {
  /** `count` cryptographically secure bytes. */
  bytes(count: number): Uint8Array
  /** Uniform in [0, 1); for jitter, never for keys. */
  uniform(): number
}
