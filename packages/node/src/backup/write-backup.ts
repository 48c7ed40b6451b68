import { base64 } from '@scure/base'
import { clearMark, type Clock, LIST_VERSION_SETTING, type MessageId, type Store, type StoredContact } from '@skein/core'
import { Encrypter } from 'age-encryption'
import { annotationRecord, contactRecord, KEPT_SETTINGS, messageRecord, seenKey, VERSION, type WrittenRecord } from './records.ts'

/** Messages, or what was said about them, read at once. */
const PAGE = 500

export interface BackupOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly account: string
  /** `null`: contacts and history to be read by people and programs, with no key in it, and not sealed. */
  readonly passphrase: string | null
  /** log2 of scrypt's cost; 18 as the age program does (age-encryption.org/v1, "The scrypt recipient type"). */
  readonly workFactor?: number
}

/** The whole of a backup as it is made; nothing larger than a page of history is held. @throws SkeinError STORE_CLOSED */
export async function writeBackup(store: Store, options: BackupOptions): Promise<ReadableStream<Uint8Array>> {
  const lines = streamOf(encoded(records(store, options)))
  if (options.passphrase === null) return lines
  const encrypter = new Encrypter()
  encrypter.setPassphrase(options.passphrase)
  encrypter.setScryptWorkFactor(options.workFactor ?? 18)
  return encrypter.encrypt(lines)
}

/** One part at a time, as it is asked for. */
function streamOf(parts: AsyncIterator<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await parts.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
  })
}

async function* encoded(all: AsyncIterable<WrittenRecord>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  for await (const each of all) yield encoder.encode(`${JSON.stringify(each)}\n`)
}

async function* records(store: Store, { clock, account, passphrase }: BackupOptions): AsyncGenerator<WrittenRecord> {
  yield { is: 'backup', version: VERSION, account, created_at: clock.now() }
  if (passphrase !== null) yield* secrets(store)
  // Our own account stands there for its other devices; who restores has none of these.
  const contacts = (await store.contacts()).filter((contact) => contact.account !== account)
  let messages = 0
  for (const contact of contacts) {
    yield await contactLine(store, contact, passphrase !== null)
    for await (const line of history(store, contact)) {
      messages += 1
      yield line
    }
  }
  if (passphrase !== null)
    for await (const line of gone(store)) {
      messages += 1
      yield line
    }
  yield* annotations(store)
  yield { is: 'end', contacts: contacts.length, messages }
}

/** The account's key alone: a device that is restored is another device (BK2). */
async function* secrets(store: Store): AsyncGenerator<WrittenRecord> {
  const identity = await store.identity()
  if (identity === null) return
  const listVersion = Number((await store.setting(LIST_VERSION_SETTING)) ?? 1)
  const { accountSeed, createdAt } = identity
  yield { is: 'identity', account_seed: base64.encode(accountSeed), list_version: listVersion, created_at: createdAt }
  for (const key of KEPT_SETTINGS) {
    const value = await store.setting(key)
    if (value !== null) yield { is: 'setting', key, value }
  }
}

async function contactLine(store: Store, contact: StoredContact, isSealed: boolean): Promise<WrittenRecord> {
  const devices = await store.devices(contact.account)
  const seen = (await store.setting(seenKey(contact.account))) as MessageId | null
  return contactRecord(contact, { seen, devices, isSealed, cleared: await clearMark(store, contact.account) })
}

async function* history(store: Store, { account }: StoredContact): AsyncGenerator<WrittenRecord> {
  for (let before: MessageId | undefined; ; ) {
    const page = await store.history(account, { limit: PAGE, ...(before === undefined ? {} : { before }) })
    for (const message of page.toReversed()) yield messageRecord(message)
    before = page[0]?.id
    if (page.length < PAGE) return
  }
}

/** What has disappeared and was deleted: nothing of it but that it was here, so that no late copy is shown again (MK8). */
async function* gone(store: Store): AsyncGenerator<WrittenRecord> {
  for (let after = 0; ; ) {
    const page = (await store.journal({ messages: after, annotations: Number.MAX_SAFE_INTEGER }, PAGE)).messages
    for (const { message } of page) if (message.kind === 'gone') yield messageRecord(message)
    after = page.at(-1)?.position ?? after
    if (page.length < PAGE) return
  }
}

/** In the order in which it came; whatever the messages show already, a later word is judged by it. */
async function* annotations(store: Store): AsyncGenerator<WrittenRecord> {
  for (let after = 0; ; ) {
    const page = (await store.journal({ messages: Number.MAX_SAFE_INTEGER, annotations: after }, PAGE)).annotations
    for (const { annotation } of page) yield annotationRecord(annotation)
    after = page.at(-1)?.position ?? after
    if (page.length < PAGE) return
  }
}
