/** Raw DEFLATE (RFC 1951). Backends may make other bytes of the same input; each reads what another has made. */
export interface Compression {
  deflate(bytes: Uint8Array): Uint8Array
  /**
   * What `deflated` expands to; `undefined` when that is more than `most` bytes. Allocates no more than a small multiple of `most`.
   * @throws when the input is damaged or ends early
   */
  inflate(deflated: Uint8Array, most: number): Uint8Array | undefined
}
