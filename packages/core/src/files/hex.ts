import { hex } from '@scure/base'

export const hexOf = (bytes: Uint8Array): string => hex.encode(bytes)
export const bytesOf = (digits: string): Uint8Array => hex.decode(digits)
