/**
 * Tells one client of this relay that another one can be reached at an IP address, so that nobody can be made to send
 * packets to somebody who did not ask for them. Whoever asks from an address gets a token for it and for the asker's
 * nonce, which is received there and nowhere else; the other one has it checked here. Nothing is remembered, and a relay that has restarted
 * meanwhile confirms what it gave before.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Made by the one who wants proof, bytes. */
export const SEEN_NONCE_BYTES = 16
const TOKEN_BYTES = 16

export class SeenTokens {
  private readonly key: Buffer

  /** @param secret of this relay, which it keeps */
  constructor(secret: Uint8Array) {
    this.key = createHmac('sha256', secret).update('skein seen tokens v1').digest()
  }

  /** @param nonce SEEN_NONCE_BYTES @param host the IP address from which this was asked */
  tokenFor(nonce: Uint8Array, host: string): Buffer {
    return createHmac('sha256', this.key).update(nonce).update(host).digest().subarray(0, TOKEN_BYTES)
  }

  isGenuine(token: Uint8Array, nonce: Uint8Array, host: string): boolean {
    return token.length === TOKEN_BYTES && timingSafeEqual(token, this.tokenFor(nonce, host))
  }
}
