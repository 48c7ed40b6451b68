/** The talk of LINK_PROTOCOL: one frame after the other, in turns. */
import { SkeinError } from '../errors/index.ts'
import type { Channel } from '../ports/swarm.ts'
import { decodeLinkFrame, encodeLinkFrame, type LinkEnd, type LinkFrameFields } from '../wire/devices.ts'

const WHY: Readonly<Record<LinkEnd, string>> = {
  expired: 'The link has expired, or was taken back; make a new one on the other device.',
  used: 'The link was used already; make a new one on the other device.',
  refused: 'It was refused on the other device.',
  wrong: 'The codes on the two screens differ, or the link is not from this device. Somebody may stand between them: make a new link.',
  'bad-frame': 'The other device could not read what this one said; update both.',
}

export function linkEnded(why: LinkEnd): SkeinError {
  return new SkeinError(why === 'expired' ? 'LINK_EXPIRED' : 'LINK_REFUSED', WHY[why], { data: { why } })
}

export class LinkTalk {
  readonly channel: Channel
  private readonly incoming: AsyncIterator<Uint8Array>

  constructor(channel: Channel) {
    this.channel = channel
    this.incoming = channel.frames()[Symbol.asyncIterator]()
  }

  async say(frame: LinkFrameFields): Promise<void> {
    await this.channel.send(encodeLinkFrame(frame))
  }

  /** The next frame, which has to be of this kind. @throws SkeinError BAD_FRAME, TIMED_OUT (the other side has gone), LINK_REFUSED, LINK_EXPIRED */
  async hear<K extends LinkFrameFields['kind']>(kind: K): Promise<Extract<LinkFrameFields, { kind: K }>> {
    const { done, value } = await this.incoming.next()
    if (done === true) throw new SkeinError('TIMED_OUT', 'The other device has gone.')
    const frame = decodeLinkFrame(value)
    if (frame.kind === 'end') throw linkEnded(frame.why)
    if (frame.kind !== kind) throw new SkeinError('BAD_FRAME', 'The other device said something else than was its turn.')
    return frame as Extract<LinkFrameFields, { kind: K }>
  }

  async end(why: LinkEnd): Promise<void> {
    await this.say({ kind: 'end', why })
    this.channel.close()
  }
}
