/** What a device answers to everybody who reaches it: introductions, and the cards of its open invites. */
import type { ContactDeps } from './contact-deps.ts'
import { CONTACT_PROTOCOL, serveIntroduction } from './introductions.ts'
import { CARD_PROTOCOL, serveCards } from './invite-cards.ts'

/** The returned functions end it. */
export function serveContacts(deps: ContactDeps): readonly (() => void)[] {
  return [
    deps.swarm.handle(CONTACT_PROTOCOL, (channel) => serveIntroduction(deps, channel)),
    deps.swarm.handle(CARD_PROTOCOL, (channel) => serveCards(deps, channel)),
  ]
}
