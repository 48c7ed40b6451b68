/** Time, as the program knows it. */
export interface Clock {
  /** Wall clock, whole milliseconds since 1970; may jump. */
  now(): number
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonic(): number
  /** Resolves after `ms`; when `signal` aborts it resolves early with `false`, it never rejects. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<boolean>
}
