/** How many an invite admits, and its end. */
import { SkeinError } from '../errors/index.ts'
import { inviteLocator, parseInvite } from '../identity/index.ts'
import type { Store, StoredInvite } from '../ports/store.ts'
import { type ContactDeps, sameBytes } from './contact-deps.ts'

/** Accounts that one invite makes contacts (IN8): a large group's worth; whoever leaked it, a crowd does not move in. */
export const MAX_ADMITTED = 100

/** Counts in memory as well as in the store: introductions that come at the same time are each counted. */
export class Admissions {
  private readonly store: Store
  private readonly counted = new Map<string, number>()

  constructor(store: Store) {
    this.store = store
  }

  /** Counts one account in; false when the invite has admitted as many as it may. */
  async admit(invite: StoredInvite): Promise<boolean> {
    const key = invite.secret.join()
    const admitted = Math.max(invite.admitted, this.counted.get(key) ?? 0)
    if (admitted >= MAX_ADMITTED) return false
    this.counted.set(key, admitted + 1)
    await this.store.commit([{ kind: 'invite.put', invite: { ...invite, admitted: admitted + 1 } }])
    return true
  }
}

/**
 * Ends one of our invites, or all that are open: nobody becomes a contact by them any more, and relays drop their cards.
 * @returns how many were open until now
 * @throws SkeinError of parseInvite, INVITE_UNKNOWN
 */
export async function revokeInvites(deps: ContactDeps, text?: string): Promise<number> {
  const now = deps.clock.now()
  const wanted = text === undefined ? undefined : parseInvite(deps.primitives, text, now)
  const stored = await deps.store.invites()
  const named = wanted === undefined ? stored : stored.filter(({ secret }) => sameBytes(secret, wanted.secret))
  if (wanted !== undefined && named.length === 0) throw new SkeinError('INVITE_UNKNOWN', 'This invite was not made here.')
  const open = named.filter(({ revoked, expiresAt }) => !revoked && expiresAt > now)
  await deps.store.commit(open.map((invite) => ({ kind: 'invite.put', invite: { ...invite, revoked: true } })))
  for (const invite of open) await withdrawCard(deps, invite)
  return open.length
}

/** An owner's later card replaces the earlier: an empty one is none. */
async function withdrawCard({ primitives, directory }: ContactDeps, { secret, expiresAt }: StoredInvite): Promise<void> {
  await directory.leaveCard(inviteLocator(primitives, secret), new Uint8Array(), expiresAt)
}
