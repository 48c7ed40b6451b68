import type { DeviceId } from '../ids.ts'
import type { Channel, Swarm } from '../ports/swarm.ts'
import { decodeTyping, encodeTyping } from '../wire/content.ts'

export const TYPING_PROTOCOL = '/skein/typing/1'

/** Frames of one channel that are looked at; more are somebody's game (MK10). */
const MAX_FRAMES = 32

/**
 * Tells a device that we are typing, or no longer. On a connection that is there and ends at the device; it is never
 * dialled for that, nor is anything kept or tried again (MK9).
 */
export async function tellTyping(swarm: Swarm, device: DeviceId, active: boolean): Promise<void> {
  if (!swarm.isConnected(device)) return
  const opened = await swarm.open(device, TYPING_PROTOCOL)
  if (opened.kind === 'absent') return
  await opened.channel.send(encodeTyping(active))
  opened.channel.close()
}

/** Serves `/skein/typing/1`. @param onTyping told what the other device says */
export async function serveTyping(channel: Channel, onTyping: (active: boolean) => void): Promise<void> {
  let seen = 0
  try {
    for await (const bytes of channel.frames()) {
      onTyping(decodeTyping(bytes))
      seen += 1
      if (seen >= MAX_FRAMES) break
    }
  } finally {
    channel.close()
  }
}
