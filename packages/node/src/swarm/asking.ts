/** Asking relays over HTTP. What is asked of relays that others name is judged by foreign-relay.ts. */

/** Whether what others name may lead to `address`, an IP address. */
export type MayReach = (address: string) => boolean

/** The host in a relay's URL, an IPv6 address without brackets; empty when it is no URL. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, '') : ''
}

export interface GetOptions {
  readonly signal: AbortSignal
  readonly maxBytes: number
  /** For what somebody else named; without it the place may be anywhere. */
  readonly mayReach?: MayReach | undefined
  /** Told when whoever answers says that it is; `null` where that is not said, or not to be read. */
  readonly onDate?: ((date: string | null) => void) | undefined
}

/**
 * GET without redirects and cookies.
 * @throws Error when the host may not be reached, does not answer, or answers with another status than 200 or too much
 */
export type GetText = (url: URL, options: GetOptions) => Promise<string>
