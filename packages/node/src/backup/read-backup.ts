import {
  clearMarkWrite,
  type AccountId,
  type Clock,
  LIST_VERSION_SETTING,
  type Random,
  SkeinError,
  type Store,
  type StoredDevice,
  type StoreWrite,
} from '@skein/core'
import { Decrypter } from 'age-encryption'
import { annotationOf, BackupRecord, contactOf, KEPT_SETTINGS, messageOf, seenKey } from './records.ts'

/** Longest line: the largest text, each byte escaped, with room for the rest. */
const MAX_LINE_CHARS = 524_288
/** Writes of one commit. */
const PAGE = 500

export interface ReadOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly random: Pick<Random, 'bytes'>
}

export interface Restored {
  readonly account: AccountId
  readonly contacts: number
  readonly messages: number
}

/** A backup that its passphrase fits. */
export interface OpenedBackup {
  readonly content: ReadableStream<Uint8Array>
}

/** To be done before there is a store: a passphrase that does not fit leaves nothing behind. @throws SkeinError BACKUP_DAMAGED */
export async function openBackup(file: ReadableStream<Uint8Array>, passphrase: string): Promise<OpenedBackup> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  const content = await decrypter.decrypt(file).catch((cause: unknown) => {
    throw new SkeinError('BACKUP_DAMAGED', 'The passphrase does not open this file, or it is no backup.', { cause })
  })
  return { content }
}

/**
 * Puts a backup into a store that has no identity yet. The identity comes last: what was cut short can be done again.
 * The account goes on with a new device, which takes the place of all that it had (BK2, BK3).
 * @throws SkeinError BACKUP_DAMAGED, BACKUP_REFUSED, DISK_FULL
 */
export async function readBackup(store: Store, { content }: OpenedBackup, options: ReadOptions): Promise<Restored> {
  if ((await store.identity()) !== null)
    throw new SkeinError('BACKUP_REFUSED', 'Somebody lives in this data directory already; restore into a new one.')
  const intake = new Intake(store, options)
  for await (const line of lines(content)) await intake.take(recordIn(line))
  return intake.finish()
}

async function* lines(bytes: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  for await (const part of whole(bytes)) {
    rest += readable(() => decoder.decode(part, { stream: true }))
    const complete = rest.split('\n')
    rest = complete.pop() ?? ''
    yield* complete
    if (rest.length > MAX_LINE_CHARS) throw damaged()
  }
  if (rest !== '') throw damaged()
}

/** A file that was cut or changed on the way. */
async function* whole(bytes: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = bytes.getReader()
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw damaged(cause)
    })
    if (done) return
    yield value
  }
}

function recordIn(line: string): BackupRecord {
  return readable(() => BackupRecord.parse(JSON.parse(line)))
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw damaged(cause)
  }
}

function damaged(cause?: unknown): SkeinError {
  return new SkeinError('BACKUP_DAMAGED', 'The backup is damaged or cut short; nothing of it is used.', { cause })
}

class Intake {
  private readonly store: Store
  private readonly options: ReadOptions
  private readonly pending: StoreWrite[] = []
  private account: AccountId | undefined
  private identity: Extract<BackupRecord, { is: 'identity' }> | undefined
  private ended: Extract<BackupRecord, { is: 'end' }> | undefined
  private contacts = 0
  private messages = 0
  /** Of these, what is not shown. */
  private gone = 0

  constructor(store: Store, options: ReadOptions) {
    this.store = store
    this.options = options
  }

  async take(record: BackupRecord): Promise<void> {
    if (this.ended !== undefined || (this.account === undefined) !== (record.is === 'backup')) throw damaged()
    if (record.is === 'backup') this.account = record.account
    else if (record.is === 'identity') this.identity = record
    else if (record.is === 'end') this.ended = record
    else this.pending.push(...this.writesOf(record))
    if (this.pending.length >= PAGE) await this.flush()
  }

  private writesOf(record: Extract<BackupRecord, { is: 'contact' | 'message' | 'annotation' | 'setting' }>): readonly StoreWrite[] {
    if (record.is === 'message') {
      this.messages += 1
      if (record.kind === 'gone') this.gone += 1
      return [{ kind: 'message.insert', message: messageOf(record) }]
    }
    if (record.is === 'annotation') return [{ kind: 'annotation.put', annotation: annotationOf(record) }]
    if (record.is === 'setting')
      return KEPT_SETTINGS.includes(record.key) ? [{ kind: 'setting.put', key: record.key, value: record.value }] : []
    this.contacts += 1
    const { account, seen, devices, cleared } = record
    const known = devices.map(
      (each): StoredDevice => ({
        device: each.device,
        account,
        dhKey: each.dh_key,
        lastSeen: null,
        cardSent: 0,
        bundle: each.bundle,
        handover: new Uint8Array(),
      }),
    )
    const put: StoreWrite = { kind: 'contact.put', contact: contactOf(record), devices: known }
    const upTo = cleared === undefined ? [] : [clearMarkWrite(account, { hlcMs: cleared.hlc_ms, hlcCounter: cleared.hlc_counter })]
    return [put, ...upTo, ...(seen === null ? [] : [{ kind: 'setting.put', key: seenKey(account), value: seen } as const])]
  }

  async finish(): Promise<Restored> {
    const { account, identity, ended, contacts, messages } = this
    if (account === undefined || identity === undefined || ended?.contacts !== contacts || ended.messages !== messages) throw damaged()
    this.pending.push(...this.identityWrites(identity))
    await this.flush()
    return { account, contacts, messages: messages - this.gone }
  }

  /** The list of devices is newer than any that this account has signed, also if the same backup was restored before. */
  private identityWrites({
    account_seed: accountSeed,
    list_version: version,
    created_at: createdAt,
  }: NonNullable<Intake['identity']>): readonly StoreWrite[] {
    const { random, clock } = this.options
    const identity = { accountSeed, deviceSeed: random.bytes(32), dhSecret: random.bytes(32), createdAt }
    const next = Math.max(version + 1, Math.floor(clock.now() / 1_000))
    return [
      { kind: 'setting.put', key: LIST_VERSION_SETTING, value: String(next) },
      { kind: 'identity.put', identity },
    ]
  }

  private async flush(): Promise<void> {
    if (this.pending.length > 0) await this.store.commit(this.pending.splice(0))
  }
}
