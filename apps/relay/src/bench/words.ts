/** What the measuring process and its peers say to each other over IPC. */

/** Orders to a peer, by name: what goes with one, and what it answers. */
export interface Orders {
  /** Joins a relay with so many members, one after the other; milliseconds that each took. */
  join: { input: { url: string; count: number }; output: { devices: string[]; times: number[] } }
  /** Asks the relay for cards that it does not have, one after the other; milliseconds that each answer took. */
  ask: { input: { url: string; count: number }; output: { times: number[] } }
  /** Opens a raw connection to a member over the relay with this multiaddr. */
  open: { input: { device: string; relay: string }; output: Record<string, never> }
  /** Sends over the raw connection for so long; bytes. */
  pour: { input: { forMs: number }; output: { bytes: number } }
}

export type OrderName = keyof Orders

export type Order = { readonly [N in OrderName]: { readonly id: number; readonly name: N; readonly input: Orders[N]['input'] } }[OrderName]

export type Answer = { readonly id: number; readonly output: unknown } | { readonly id: number; readonly error: string }
