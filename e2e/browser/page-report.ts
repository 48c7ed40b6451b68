/** What the page tells the process that opened it. */
export interface PageReport {
  readonly secureContext: boolean
  /** `typeof crypto.subtle`. */
  readonly subtle: string
  readonly results: readonly PageResult[]
}

export interface PageResult {
  /** File, suites and test. */
  readonly name: string
  /** `pass`, or what it is instead. */
  readonly state: string
  readonly errors: readonly string[]
}
