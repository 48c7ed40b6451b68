/** One write of a commit, on the prepared statements. */
import {
  SkeinError,
  type StoredAnnotation,
  type StoredContact,
  type StoredDevice,
  type StoredInvite,
  type StoredMessage,
  type StoredSession,
  type StoredTransfer,
  type StoreWrite,
  type WriteOutcome,
} from '@skein/core'
import { and, eq, notInArray, sql } from 'drizzle-orm'
import type { AnyDatabase, Writes } from './queries.ts'
import type { RowSeal } from './row-seal.ts'
import * as t from './schema.ts'

export interface WriteTarget {
  readonly db: AnyDatabase
  readonly writes: Writes
  /** Keys are sealed here, on their way to the database; nothing below sees them in clear. */
  readonly seal: RowSeal
}

/** Runs inside an open transaction. */
export async function applyWrite({ db, writes, seal }: WriteTarget, write: StoreWrite): Promise<WriteOutcome> {
  switch (write.kind) {
    case 'message.insert':
      return insertMessage(writes, write.message)
    case 'annotation.put':
      return putAnnotation(writes, write.annotation)
    case 'outbox.acknowledged':
      return acknowledge(writes, write)
    case 'outbox.carried':
      return carry(writes, write)
    case 'contact.put':
      await putContact(db, seal.sealContact(write.contact), write.devices)
      return 'done'
    case 'invite.put':
      await putInvite(db, { ...write.invite, secret: seal.sealInvite(write.invite.secret) })
      return 'done'
    case 'transfer.put':
    case 'transfer.offer':
      await putTransfer(writes, write.kind, seal.sealTransfer(write.transfer))
      return 'done'
    case 'file-word.put':
      return putFileWord(writes, write)
    case 'conversation.clear':
      for (const statement of writes.clear) await statement.run({ ...write })
      return 'done'
    case 'session.put':
      await putSession(writes, seal.sealSession(write.session))
      return 'done'
    default:
      await simpleWrite({ writes, seal }, write)
      return 'done'
  }
}

async function acknowledge(writes: Writes, write: Extract<StoreWrite, { kind: 'outbox.acknowledged' }>): Promise<WriteOutcome> {
  const { message, device, state, at } = write
  const [row] = await writes.outboxAcknowledged.all({ message, device })
  if (row?.transient) return 'done'
  // Who has seen it has told before that it came; and what was given up may have been on its way. Anything else never was.
  const known = row === undefined ? await writes.progressOf.all({ message, device }) : []
  const isKnown = row !== undefined || known.some((each) => state === 'read' || each.state === 'failed')
  // A device that has it from another one of its account shows what its user has read all the same.
  if (!isKnown && (state !== 'read' || (await writes.leftForOwner.all({ message, device })).length === 0)) return 'duplicate'
  await writes.progress.run({ message, device, state, reason: null, at })
  await writes.state[state].run({ id: message, at, reason: null })
  return 'done'
}

async function carry(writes: Writes, { message, device, carrier }: Extract<StoreWrite, { kind: 'outbox.carried' }>): Promise<WriteOutcome> {
  if ((await writes.outboxCarried.all({ message, device, carrier })).length === 0) return 'duplicate'
  await writes.state.carried.run({ id: message, reason: null })
  return 'done'
}

/** What came before the message is applied to it. */
async function insertMessage(writes: Writes, message: StoredMessage): Promise<WriteOutcome> {
  const [inserted] = await writes.message.all({ ...message })
  if (inserted === undefined) return 'duplicate'
  if (inserted.isSaidAbout !== 0) await writes.refresh.run({ contact: message.contact, target: message.id })
  return 'done'
}

async function putAnnotation(writes: Writes, annotation: StoredAnnotation): Promise<WriteOutcome> {
  if ((await writes.aboutGone.all({ contact: annotation.contact, target: annotation.target })).length > 0) return 'duplicate'
  if ((await writes.annotation.all({ ...annotation })).length === 0) return 'duplicate'
  await writes.annotationOrder.run({ id: annotation.id })
  if (annotation.own && annotation.kind === 'deletion') await writes.proofsRemove.run({ message: annotation.target })
  await writes.refresh.run({ contact: annotation.contact, target: annotation.target })
  return 'done'
}

/** @throws SkeinError SESSION_CONFLICT: this state does not follow the stored one */
async function putSession(writes: Writes, session: StoredSession): Promise<void> {
  const statement = session.version === 1 ? writes.sessionFirst : writes.sessionNext
  const applied = await statement.all({ ...session })
  if (applied.length === 0) throw new SkeinError('SESSION_CONFLICT', 'An encrypted session has moved on meanwhile.')
}

async function putTransfer(writes: Writes, kind: 'transfer.put' | 'transfer.offer', transfer: StoredTransfer): Promise<void> {
  const statement = kind === 'transfer.put' ? writes.transfer : writes.transferOffer
  await statement.run({ ...transfer })
}

async function putFileWord(writes: Writes, { word, most }: Extract<StoreWrite, { kind: 'file-word.put' }>): Promise<WriteOutcome> {
  const [kept] = await writes.fileWordBytes.all({ contact: word.contact })
  if ((kept?.bytes ?? 0) + word.word.length > most) return 'duplicate'
  return (await writes.fileWord.all({ ...word })).length === 0 ? 'duplicate' : 'done'
}

async function putInvite(db: AnyDatabase, invite: StoredInvite): Promise<void> {
  const set = {
    revoked: sql`max(${t.invites.revoked}, excluded.revoked)`,
    admitted: sql`max(${t.invites.admitted}, excluded.admitted)`,
  }
  await db.insert(t.invites).values(invite).onConflictDoUpdate({ target: t.invites.secret, set }).run()
}

type SimpleWrite = Exclude<
  StoreWrite,
  {
    kind:
      | 'message.insert'
      | 'annotation.put'
      | 'contact.put'
      | 'conversation.clear'
      | 'invite.put'
      | 'session.put'
      | 'outbox.acknowledged'
      | 'outbox.carried'
      | 'transfer.put'
      | 'transfer.offer'
      | 'file-word.put'
  }
>

async function simpleWrite({ writes, seal }: Omit<WriteTarget, 'db'>, write: SimpleWrite): Promise<void> {
  switch (write.kind) {
    case 'identity.put':
      return void (await writes.identity.run({ ...seal.sealIdentity(write.identity) }))
    case 'device.seen':
      return void (await writes.deviceSeen.run({ ...write }))
    case 'device.card-sent':
      return void (await writes.cardSent.run({ ...write }))
    case 'message.state':
      return void (await writes.state[write.state].run({ id: write.id, at: write.at, reason: write.reason ?? null }))
    case 'messages.seen':
      for (const id of write.ids) await writes.seen.run({ ...write, id })
      return
    case 'messages.disappear':
      await writes.forgetSaid.run({ at: write.at })
      await writes.proofsDisappear.run({ at: write.at })
      return void (await writes.disappear.run({ at: write.at }))
    case 'device.handover':
      return void (await writes.handover.run({ ...write }))
    case 'outbox.insert':
      return void (await writes.outbox.run({ ...write.row }))
    case 'outbox.remove':
      return void (await writes.outboxRemove.run({ ...write }))
    case 'outbox.retry':
      return void (await writes.outboxRetry.run({ ...write }))
    case 'outbox.recall':
      return void (await writes.outboxRecall.run({ ...write }))
    case 'progress.put':
      return void (await writes.progress.run({ ...write.progress }))
    case 'receipt.put':
      return void (await writes.receipt.run({ ...write.receipt }))
    case 'receipt.remove':
      return void (await writes.receiptRemove.run({ ...write.receipt, read: String(write.receipt.read) }))
    case 'receipt.forget':
      return void (await writes.receiptForget.run({ device: write.device }))
    case 'token.put':
      return void (await writes.token.run({ ...write, giver: write.giver ?? '' }))
    case 'token.remove':
      return void (await writes.tokenRemove.run({ token: write.token }))
    case 'token.trim':
      return void (await writes.tokenTrim.run({ ...write }))
    case 'outbox.reseal':
      return void (await writes.outboxReseal.run({ ...write }))
    case 'session.remove':
      return void (await writes.sessionRemove.run({ device: write.device }))
    case 'proof.put':
      return void (await writes.proof.run({ ...write.proof }))
    case 'prekey.put':
      return void (await writes.prekey.run({ ...seal.sealPrekey(write.prekey) }))
    case 'prekey.remove':
      return void (await writes.prekeyRemove.run({ id: write.id }))
    case 'one-time.put':
      return void (await writes.oneTime.run({ ...seal.sealOneTimePrekey(write.prekey) }))
    case 'one-time.remove':
      return void (await writes.oneTimeRemove.run({ id: write.id }))
    case 'one-time.prune':
      return void (await writes.oneTimePrune.run({ before: write.before }))
    case 'digest.put':
      return void (await writes.digest.run({ ...write }))
    case 'digest.prune':
      return void (await writes.digestPrune.run({ before: write.before }))
    case 'seq.put':
      return void (await writes.seq.run({ ...write }))
    case 'file-words.remove':
      return void (await writes.fileWordsRemove.run({ ...write }))
    case 'file-words.prune':
      return void (await writes.fileWordsPrune.run({ before: write.before }))
    case 'transfer.remove':
      return void (await writes.transferRemove.run({ id: write.id, direction: write.direction }))
    case 'setting.put':
      return void (await writes.setting.run({ ...write }))
  }
}

async function putContact(db: AnyDatabase, contact: StoredContact, devices: readonly StoredDevice[]): Promise<void> {
  await db.insert(t.contacts).values(contact).onConflictDoUpdate({ target: t.contacts.account, set: contact }).run()
  const kept = devices.map(({ device }) => device)
  await db
    .delete(t.devices)
    .where(and(eq(t.devices.account, contact.account), notInArray(t.devices.device, kept)))
    .run()
  for (const device of devices) {
    // What is already known of a device is never forgotten by a card that does not know it.
    const lastSeen = sql`nullif(max(coalesce(${t.devices.lastSeen}, 0), coalesce(excluded.last_seen, 0)), 0)`
    const cardSent = sql`max(${t.devices.cardSent}, excluded.card_sent)`
    const set = { account: device.account, dhKey: device.dhKey, bundle: device.bundle, lastSeen, cardSent }
    await db.insert(t.devices).values(device).onConflictDoUpdate({ target: t.devices.device, set }).run()
  }
}
