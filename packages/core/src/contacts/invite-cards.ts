/** Answers for the cards of our own open invites, for who reaches this device without a relay between: `/skein/card/1`. */
import { isSkeinError } from '../errors/index.ts'
import { inviteLocator } from '../identity/index.ts'
import type { Channel } from '../ports/swarm.ts'
import type { StoredInvite } from '../ports/store.ts'
import { type CardReplyFrame, decodeCardRequest, encodeCardReply } from '../wire/card-drop.ts'
import { sealInvite } from './adding.ts'
import { type ContactDeps, sameBytes } from './contact-deps.ts'

export const CARD_PROTOCOL = '/skein/card/1'
const NONE: CardReplyFrame = { outcome: 'none', value: new Uint8Array() }

/** One request, one reply; nobody leaves cards here. */
export async function serveCards(deps: ContactDeps, channel: Channel): Promise<void> {
  try {
    for await (const frame of channel.frames()) {
      await channel.send(encodeCardReply(await replyTo(deps, frame)))
      break
    }
  } catch (error) {
    deps.swarm.penalise(channel.peer, isSkeinError(error) ? error.code : 'BAD_FRAME')
  } finally {
    channel.close()
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
async function replyTo(deps: ContactDeps, frame: Uint8Array): Promise<CardReplyFrame> {
  const request = decodeCardRequest(frame)
  if (request.kind === 'put') return { ...NONE, outcome: 'refused' }
  const invite = (await openInvites(deps)).find(({ secret }) => sameBytes(inviteLocator(deps.primitives, secret), request.key))
  return invite === undefined ? NONE : { outcome: 'ok', value: sealInvite(deps, invite) }
}

async function openInvites({ store, clock }: ContactDeps): Promise<readonly StoredInvite[]> {
  const now = clock.now()
  return (await store.invites()).filter(({ revoked, expiresAt }) => !revoked && expiresAt > now)
}
