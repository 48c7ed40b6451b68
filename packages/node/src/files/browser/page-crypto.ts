/** What chunks are hashed and sealed with in a browser: by the browser itself where it allows that, which is ten times as fast. */
import { noblePrimitives } from '@skein/core'
import type { OpeningSink, SealingSource } from '@skein/core/files'

type ChunkCrypto = ConstructorParameters<typeof SealingSource>[0] & Parameters<(typeof OpeningSink)['open']>[0]

const TAG_BITS = 128
/** Streams whose key is kept ready: a few transfers, each in both directions. */
const MAX_KEYS = 16

/** @param subtle there is none on an origin that is not secure */
export function chunkCrypto(subtle: SubtleCrypto | undefined): ChunkCrypto {
  if (subtle === undefined) return noblePrimitives
  const keys = new Keys(subtle)
  return {
    ...noblePrimitives,
    leafLater: (chunk) => leafOf(subtle, chunk),
    async aesGcmSeal(key, nonce, plaintext, associated) {
      return new Uint8Array(await subtle.encrypt(aesGcm(nonce, associated), await keys.of(key), owned(plaintext)))
    },
    async aesGcmOpen(key, nonce, sealed, associated) {
      const opening = subtle.decrypt(aesGcm(nonce, associated), await keys.of(key), owned(sealed))
      return opening.then(
        (opened) => new Uint8Array(opened),
        // It says nothing of why: the tag is wrong, or too short.
        () => null,
      )
    },
  }
}

function aesGcm(nonce: Uint8Array, associated: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: owned(nonce), additionalData: owned(associated), tagLength: TAG_BITS }
}

/** As leafHash of core. */
async function leafOf(subtle: SubtleCrypto, chunk: Uint8Array): Promise<Uint8Array> {
  const marked = new Uint8Array(chunk.length + 1)
  marked.set(chunk, 1)
  return new Uint8Array(await subtle.digest('SHA-256', marked))
}

class Keys {
  private readonly subtle: SubtleCrypto
  private readonly known = new Map<string, Promise<CryptoKey>>()

  constructor(subtle: SubtleCrypto) {
    this.subtle = subtle
  }

  of(key: Uint8Array): Promise<CryptoKey> {
    const name = key.join()
    const known = this.known.get(name) ?? this.subtle.importKey('raw', owned(key), 'AES-GCM', false, ['encrypt', 'decrypt'])
    this.known.delete(name)
    this.known.set(name, known)
    const oldest = this.known.keys().next().value
    if (this.known.size > MAX_KEYS && oldest !== undefined) this.known.delete(oldest)
    return known
  }
}

function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
