/** Asking somebody nearby for contact, of whom nothing is known but a device id. */
import { SkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { StoredContact } from '../ports/store.ts'
import { addByAccount } from './adding.ts'
import type { ContactDeps } from './contact-deps.ts'
import { keepHandover, openAnswer, plainIntroduction, type Shown, showCard } from './introductions.ts'

/**
 * Shows our card to a device, which makes a request there; when it introduces itself later, both have said yes (CT8).
 * @returns the contact, where the owner of the device is known already or wants us too
 * @throws SkeinError DEVICE_AWAY when the device is not in reach, USAGE for a device of our own; of a forged answer: as openAnswer
 */
export async function askDevice(deps: ContactDeps, device: DeviceId): Promise<StoredContact | null> {
  const { asked, book, identity, ownCard } = deps
  const owner = book.ownerOf(device)
  if (device === identity.device || (owner !== undefined && book.isOwn(owner.account)))
    throw new SkeinError('USAGE', 'This device is one of your own.')
  if (owner !== undefined) return addByAccount(deps, owner.account)
  // Before the card leaves: the yes may come before we hear that it has arrived.
  const isNew = !asked.has(device)
  await asked.remember(device)
  const shown = await showCard(deps, { device, relays: ownCard().relays }, async () => plainIntroduction(deps))
  if (shown.isSent) return takeYes(deps, shown)
  if (isNew) await asked.forget(device)
  throw new SkeinError('DEVICE_AWAY', 'This device is not in reach now.')
}

/** Whoever answers a card without proof has wanted us before: asked us, or added our account. */
async function takeYes(deps: ContactDeps, { answer: said }: Shown): Promise<StoredContact | null> {
  if (said === undefined) return null
  const { answer, card } = openAnswer(deps, said.bytes, said.peer)
  const known = deps.book.get(card.list.account)
  if (!answer.accepted || deps.book.isOwn(card.list.account) || known?.blocked) return null
  const contact = await deps.book.putCard(card, answer.card, { state: 'accepted' })
  await keepHandover(deps, said.peer, answer)
  await deps.asked.forget(said.peer)
  deps.onContact(contact)
  return contact
}
