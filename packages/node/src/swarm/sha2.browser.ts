/**
 * Stands in for `multiformats/hashes/sha2` in every bundle for browsers: that one calls `crypto.subtle`, which a page
 * does not have on an origin that is not secure, and gossip and DHT would not start.
 */
import { sha256 as digest256, sha512 as digest512 } from '@noble/hashes/sha2.js'
import { from } from 'multiformats/hashes/hasher'

export const sha256 = from({ name: 'sha2-256', code: 0x12, encode: (data) => digest256(data) })
export const sha512 = from({ name: 'sha2-512', code: 0x13, encode: (data) => digest512(data) })
