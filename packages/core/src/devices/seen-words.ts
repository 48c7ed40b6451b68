/** What the user has seen on one device, for the others (DV13): message by message, since each device gets some of them late. */
import { concat } from '../e2ee/key-derivation.ts'
import { isBehind, MAX_UNREAD, seenMark } from '../contacts/index.ts'
import { accountDigest, type AccountId, messageIdBytes, type MessageId } from '../ids.ts'
import { REMEMBER_MS } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Store, StoredContact, StoredMessage } from '../ports/store.ts'
import type { OwnSeenFields } from '../wire/devices.ts'
import { MAX_HISTORY_PAGE, MAX_OWN_SEEN } from '../wire/limits.ts'

/** Messages behind a position that are looked through: with more, the other device has to ask first. */
const MAX_NEWER = 1_000
const NO_ANNOTATIONS = Number.MAX_SAFE_INTEGER

export interface SeenWordsDeps {
  readonly store: Store
  readonly clock: Pick<Clock, 'now'>
  readonly book: { all(): readonly StoredContact[] }
  /** The user has seen these messages on another device, and everything up to `upTo` that was there. */
  onSeen(account: AccountId, seen: SeenElsewhere): Promise<void>
}

export interface SeenElsewhere {
  readonly ids: readonly MessageId[]
  readonly upTo: MessageId
}

export class SeenWords {
  private readonly deps: SeenWordsDeps

  constructor(deps: SeenWordsDeps) {
    this.deps = deps
  }

  /** For a page: of each conversation how far the user is, and what before it is unread all the same. */
  async all(): Promise<readonly OwnSeenFields[]> {
    const { book } = this.deps
    const known = await Promise.all(book.all().map(({ account }) => this.of(account)))
    const marks = known.filter((each) => each !== undefined).sort((a, b) => (a.account < b.account ? -1 : 1))
    return withinPage(marks)
  }

  /** Bytes that are equal where all() is. */
  async digestInput(): Promise<Uint8Array> {
    const parts = (await this.all()).flatMap(({ account, message, unseen }) => [
      accountDigest(account),
      ...[message, ...unseen].map(messageIdBytes),
    ])
    return concat(...parts)
  }

  private async of(account: AccountId): Promise<OwnSeenFields | undefined> {
    const { store } = this.deps
    const mark = await seenMark(store, account)
    const message = mark === null ? null : await store.message(mark)
    if (message === null) return undefined
    const unseen = (await store.unseen(account, MAX_UNREAD)).filter((each) => !isBehind(each, message))
    return { account, message: message.id, seen: [], unseen: unseen.map(({ id }) => id) }
  }

  /** Takes in a word of its own: exactly these were seen. What has not come here yet is remembered. */
  async take({ account, message, seen }: OwnSeenFields): Promise<void> {
    const { store, clock } = this.deps
    const expiresAt = clock.now() + REMEMBER_MS
    const here = await Promise.all(seen.map(async (id) => (await store.message(id, 'in'))?.contact === account))
    const ahead = seen.filter((_, index) => here[index] === false)
    await store.commit(ahead.map((id) => ({ kind: 'digest.put', digest: aheadKey(account, id), expiresAt }) as const))
    await this.deps.onSeen(account, { ids: seen.filter((_, index) => here[index]), upTo: message })
  }

  /**
   * Takes in what stands in a page: everything up to a message was seen, but for what its sender says, and for what its sender has
   * not got: that came here behind `known`.
   * @param known position in our journal up to which the other device has everything
   */
  async takeMark({ account, message, unseen }: OwnSeenFields, known: number): Promise<void> {
    const { store } = this.deps
    const upTo = await store.message(message)
    if (upTo === null || upTo.contact !== account) return
    const newer = await store.journal({ messages: known, annotations: NO_ANNOTATIONS }, MAX_NEWER)
    if (newer.messages.length === MAX_NEWER) return
    const except = new Set([...unseen, ...newer.messages.map((each) => each.message.id)])
    const seen = (await store.unseen(account, MAX_UNREAD)).filter((each) => !isBehind(each, upTo) && !except.has(each.id))
    await this.deps.onSeen(account, { ids: seen.map(({ id }) => id), upTo: message })
  }

  /** A message has come that may have been seen on another device before. */
  async arrived({ contact, id, direction, seen }: Pick<StoredMessage, 'contact' | 'id' | 'direction' | 'seen'>): Promise<void> {
    if (direction === 'out' || seen || !(await this.deps.store.hasDigest(aheadKey(contact, id)))) return
    await this.deps.onSeen(contact, { ids: [id], upTo: id })
  }
}

function aheadKey(account: AccountId, id: MessageId): Uint8Array {
  return concat(accountDigest(account), messageIdBytes(id))
}

/** As many as fit into one page beside its messages. */
function withinPage(marks: readonly OwnSeenFields[]): readonly OwnSeenFields[] {
  let room = MAX_OWN_SEEN / 2
  return marks.slice(0, MAX_HISTORY_PAGE).filter(({ unseen }) => {
    const fits = unseen.length <= room
    if (fits) room -= unseen.length
    return fits
  })
}
