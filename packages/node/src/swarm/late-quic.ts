/** QUIC, where its native package exists for this platform: relays without it serve everybody by their other ports. */
import type { quic } from '@chainsafe/libp2p-quic'

/** @returns `undefined` where there is no native package */
export async function loadQuic(): Promise<typeof quic | undefined> {
  return import('@chainsafe/libp2p-quic').then(
    (loaded) => loaded.quic,
    () => undefined,
  )
}
