/** Newer prekey bundles of contacts who have not been met for a while, from the directory. */
import { accountDigest } from '../ids.ts'
import { type AccountRecord, openAccountRecord } from '../identity/index.ts'
import type { StoredContact, StoredDevice } from '../ports/store.ts'
import { decodePrekeyBundle } from '../wire/sealed.ts'
import { decodeSigned } from '../wire/signed.ts'
import type { ContactDeps } from './contact-deps.ts'

/** Owners rotate weekly; a bundle older than this has a successor, and its keys die 40 days after that (EB7). */
const STALE_AFTER_MS = 8 * 24 * 3_600_000

/** Asks for each accepted contact with a stale bundle; what does not verify is ignored. Never rejects for one contact's sake. */
export async function refreshBundles(deps: ContactDeps): Promise<void> {
  const stale = deps.book
    .all()
    .filter((contact) => isWanted(contact) && deps.book.devicesOf(contact.account).some((each) => isStale(deps, each)))
  await Promise.all(stale.map((contact) => refreshOne(deps, contact)))
}

function isWanted({ state, blocked }: StoredContact): boolean {
  return state === 'accepted' && !blocked
}

function isStale({ clock }: ContactDeps, { bundle }: StoredDevice): boolean {
  return bundle.length === 0 || decodePrekeyBundle(decodeSigned(bundle).statement).issuedAt < clock.now() - STALE_AFTER_MS
}

/** What the directory holds of our own account: another device may have changed its list (DV8). */
export async function lookUpOwn(deps: ContactDeps): Promise<void> {
  const { account, list } = deps.identity
  const bytes = await deps.directory.findRecord(accountDigest(account), { isPatient: true })
  const record = bytes === null ? undefined : opened(deps, bytes)
  if (record?.list.account === account && record.list.version >= list.version) await deps.onOwnList(record.signedList)
}

async function refreshOne(deps: ContactDeps, { account }: StoredContact): Promise<void> {
  const bytes = await deps.directory.findRecord(accountDigest(account), { isPatient: true })
  const record = bytes === null ? undefined : opened(deps, bytes)
  if (record?.list.account !== account) return
  await takeList(deps, record)
  await deps.book.putBundle(record.device, record.bundle)
}

/** Other devices than before, of somebody whom we have not met since (DV9). */
async function takeList({ book, logger }: ContactDeps, { list }: AccountRecord): Promise<void> {
  if (list.version <= (book.get(list.account)?.listVersion ?? 0)) return
  await book.putList(list).catch((error: unknown) => logger.warn('list-refused', { reason: String(error) }))
}

function opened({ primitives, logger }: ContactDeps, bytes: Uint8Array): AccountRecord | undefined {
  try {
    return openAccountRecord(primitives, decodeSigned(bytes))
  } catch (error) {
    logger.warn('bad-record', { reason: error instanceof Error ? error.message : 'unknown' })
    return undefined
  }
}
