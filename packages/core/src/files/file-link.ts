import type { Channel } from '../ports/swarm.ts'
import { MAX_FRAME_BYTES } from '../wire/limits.ts'
import type { FileLink } from './file-ports.ts'

export const FILE_PROTOCOL = '/skein/file/1'

/** A link on a channel of the swarm. */
export function linkOn(channel: Channel): FileLink {
  return {
    peer: channel.peer,
    maxFrame: MAX_FRAME_BYTES,
    send: (frame) => channel.send(frame),
    frames: () => channel.frames(),
    close: () => channel.close(),
  }
}
