import type { Channel } from '@skein/core'

/** One frame there, one back; `undefined` when the other side closes without one. */
export async function exchange(channel: Channel, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const close = (): void => channel.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    if (!(await channel.send(request))) return undefined
    for await (const frame of channel.frames()) return frame
    return undefined
  } finally {
    signal.removeEventListener('abort', close)
    channel.close()
  }
}
