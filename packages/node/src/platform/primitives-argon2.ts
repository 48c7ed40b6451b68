/** Argon2id of node:crypto, which Node.js has since 24.7. */
import crypto from 'node:crypto'
import type { Primitives } from '@skein/core'

/** `null` where this Node.js has none. It runs on the thread pool: the event loop stays free. */
export function nativeArgon2id(): Primitives['argon2id'] | null {
  const native = crypto.argon2 as typeof crypto.argon2 | undefined
  if (native === undefined) return null
  return (password, salt, { memoryKib, passes, lanes, bytes }) =>
    new Promise((resolve, reject) => {
      const cost = { message: password, nonce: salt, parallelism: lanes, tagLength: bytes, memory: memoryKib, passes }
      native('argon2id', cost, (error, key) => (error === null ? resolve(new Uint8Array(key)) : reject(error)))
    })
}
