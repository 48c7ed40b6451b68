export interface FindOptions {
  readonly signal?: AbortSignal
  readonly isPatient?: boolean
}

/**
 * Where sealed cards and signed account records are left for others: the DHT and the card drops of the user's relays.
 * Values are opaque here; whoever fetches one verifies it.
 */
export interface Directory {
  /** Leaves `value` (≤ 8 KiB) under `key` (32 bytes) with every relay that is joined; resolves to the number that took it. */
  leaveCard(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<number>
  /** Lets every relay that is joined admit who shows the proof whose SHA-256 is `hash` (32 bytes). Best effort. */
  registerInvite(hash: Uint8Array, expiresAt: number): Promise<void>
  /** Shows the relay at `relayUrl` such a proof (32 bytes), so that it may become ours too. @throws SkeinError RELAY_UNREACHABLE */
  showInvite(proof: Uint8Array, relayUrl: string): Promise<void>
  /** Fetches from the relay at `relayUrl`; `null` when nobody has it. @throws SkeinError RELAY_UNREACHABLE */
  fetchCard(key: Uint8Array, relayUrl: string, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array | null>
  /** Publishes the signed record of an account (≤ 4 KiB) in the DHT, best effort. @param key account digest, 32 bytes */
  publishRecord(key: Uint8Array, record: Uint8Array): Promise<boolean>
  /** @param options.isPatient nobody waits for the answer: what has to be loaded for it may come after what is wanted first */
  findRecord(key: Uint8Array, options?: FindOptions): Promise<Uint8Array | null>
}
