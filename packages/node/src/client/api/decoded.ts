/** Bytes that came as text. */
import { SkeinError } from '@skein/core'
import { base64 } from '@scure/base'

/** @throws SkeinError USAGE */
export function decoded(text: string): Uint8Array {
  try {
    return base64.decode(text)
  } catch (cause) {
    throw new SkeinError('USAGE', 'What is to be carried is not base64.', { cause })
  }
}
