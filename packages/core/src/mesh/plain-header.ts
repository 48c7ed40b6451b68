import type { BundleHeader } from './bundle.ts'

/** What a bundle says of itself, and nothing of how it travels. */
export function plainHeader({ id, key, address, lock, expiresAt, priority, bytes, isPiece }: BundleHeader): BundleHeader {
  return { id, key, address, lock, expiresAt, priority, bytes, ...(isPiece === undefined ? {} : { isPiece }) }
}
