import {
  clearMark,
  clearMarkWrite,
  accountIdFromDigest,
  deviceIdFromKey,
  LIST_VERSION_SETTING,
  messageIdFromBytes,
  openIdentity,
  type StoredContact,
  type StoredDevice,
  type StoredMessage,
} from '@skein/core'
import { MemoryStore, seededRandom, VirtualClock } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { nativePrimitives } from '../platform/primitives.ts'
import { DEVICE, message as fixture } from '../store/store-fixtures.ts'
import { openBackup, readBackup, writeBackup } from './index.ts'

const PASSPHRASE = 'correct horse'
const QUICK = { workFactor: 1 }
const random = seededRandom(3)
const clock = new VirtualClock()

const account = accountIdFromDigest(new Uint8Array(32).fill(3))
const OWN = accountIdFromDigest(new Uint8Array(32).fill(9))
const OTHER_DEVICE = deviceIdFromKey(new Uint8Array(32).fill(8))
const message = (number: number): StoredMessage => ({ ...fixture(number), contact: account })
const contact: StoredContact = {
  account,
  accountKey: new Uint8Array(32).fill(1),
  petname: 'ana',
  claimedName: 'Ana',
  state: 'accepted',
  trust: 'verified',
  card: Uint8Array.of(1, 2, 3),
  listVersion: 1,
  relays: ['http://relay.test'],
  blocked: false,
  muted: true,
  addedAt: 5,
  pendingInvite: 'secret',
}
const known: StoredDevice = {
  device: DEVICE,
  account,
  dhKey: new Uint8Array(32).fill(2),
  lastSeen: 7,
  cardSent: 8,
  bundle: Uint8Array.of(5),
  handover: Uint8Array.of(6, 7),
}

async function lived(messages = 3): Promise<MemoryStore> {
  const store = new MemoryStore()
  const identity = { accountSeed: random.bytes(32), deviceSeed: random.bytes(32), dhSecret: random.bytes(32), createdAt: 5 }
  await store.commit([
    { kind: 'identity.put', identity },
    { kind: 'contact.put', contact, devices: [known] },
    // Another device of our own account, which no backup brings back.
    {
      kind: 'contact.put',
      contact: { ...contact, account: OWN, petname: OWN },
      devices: [{ ...known, account: OWN, device: OTHER_DEVICE }],
    },
    { kind: 'session.put', session: { device: known.device, version: 1, state: random.bytes(40) } },
    { kind: 'setting.put', key: `seen.${contact.account}`, value: message(1).id },
    { kind: 'setting.put', key: 'own-card', value: '77\nsaid' },
    ...Array.from({ length: messages }, (_, at) => ({ kind: 'message.insert', message: message(at + 1) }) as const),
  ])
  return store
}

async function sealed(store: MemoryStore, passphrase: string | null = PASSPHRASE): Promise<Uint8Array> {
  return new Response(
    (await writeBackup(store, { clock, account: OWN, passphrase, ...QUICK })) as ReadableStream<Uint8Array<ArrayBuffer>>,
  ).bytes()
}

const streamOf = (bytes: Uint8Array): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (let at = 0; at < bytes.length; at += 1_000) controller.enqueue(bytes.slice(at, at + 1_000))
      controller.close()
    },
  })
const restore = (store: MemoryStore, bytes: Uint8Array, passphrase = PASSPHRASE) =>
  openBackup(streamOf(bytes), passphrase).then((opened) => readBackup(store, opened, { clock, random }))

it('[BK1] [BK2] [BK7] a backup brings back account, contacts and history, on a new device without sessions', async () => {
  const before = await lived(1_203)
  const after = new MemoryStore()
  expect(await restore(after, await sealed(before))).toMatchObject({ contacts: 1, messages: 1_203 })
  const [old, now] = [await before.identity(), await after.identity()]
  expect(now?.accountSeed).toEqual(old?.accountSeed)
  expect(now?.deviceSeed).not.toEqual(old?.deviceSeed)
  expect(await after.contacts()).toEqual([contact])
  expect(await after.devices()).toEqual([{ ...known, lastSeen: null, cardSent: 0, handover: new Uint8Array() }])
  expect(await after.session(known.device)).toBeNull()
  expect(await after.setting(`seen.${contact.account}`)).toBe(message(1).id)
  expect(await after.setting('own-card')).toBe('77\nsaid')
  const history = await after.history(contact.account, { limit: 1_000 })
  expect(history.at(-1)).toEqual({ ...message(1_203), state: 'failed', reason: 'restored' })
})

it('[BK3] the list of devices is newer than any before, also when a backup is restored twice', async () => {
  const bytes = await sealed(await lived())
  const versions: number[] = []
  for (let turn = 0; turn < 2; turn += 1) {
    await clock.advance(2_000)
    const store = new MemoryStore()
    await restore(store, bytes)
    const identity = await store.identity()
    if (identity === null) throw new Error('no identity')
    const version = Number(await store.setting(LIST_VERSION_SETTING))
    versions.push(openIdentity(nativePrimitives, identity, { version }).listVersion)
  }
  expect(versions[0]).toBeGreaterThan(1)
  expect(versions[1]).toBeGreaterThan(versions[0] ?? 0)
})

it('[BK4] what was on its way has failed, what came in is as it was', async () => {
  const before = await lived(1)
  const sender = deviceIdFromKey(new Uint8Array(32).fill(8))
  const came = { ...message(2), id: messageIdFromBytes(new Uint8Array(16).fill(9)), direction: 'in', sender, state: 'delivered' } as const
  await before.commit([{ kind: 'message.insert', message: came }])
  const after = new MemoryStore()
  await restore(after, await sealed(before))
  expect(await after.history(contact.account)).toMatchObject([{ state: 'failed', reason: 'restored' }, came])
  expect(await after.commit([{ kind: 'message.insert', message: came }])).toEqual(['duplicate'])
})

it('[BK4] [MK8] [MK12] what has disappeared or was deleted does not come back by copies that come late', async () => {
  const before = await lived(2)
  const burnt = { ...message(3), id: messageIdFromBytes(new Uint8Array(16).fill(9)), disappearAt: 5 }
  const mark = { hlcMs: message(1).hlcMs, hlcCounter: 9 }
  await before.commit([
    { kind: 'message.insert', message: burnt },
    { kind: 'messages.disappear', at: 9 },
    { kind: 'conversation.clear', contact: contact.account, ...mark },
    clearMarkWrite(contact.account, mark),
  ])
  const after = new MemoryStore()
  expect(await restore(after, await sealed(before))).toMatchObject({ messages: 1 })
  expect((await after.history(contact.account)).map(({ id }) => id)).toEqual([message(2).id])
  const late = [burnt, message(1)].map((each) => ({ kind: 'message.insert', message: each }) as const)
  expect(await after.commit(late)).toEqual(['duplicate', 'duplicate'])
  expect(await clearMark(after, contact.account)).toEqual(mark)
  expect(new TextDecoder().decode(await sealed(before, null))).not.toContain(burnt.id)
})

it('[BK6] what was said about a message outlasts what is said late about it', async () => {
  const before = await lived(2)
  const words = [
    { target: message(1).id, kind: 'edit', value: 'edited' },
    { target: message(1).id, kind: 'reaction', value: '👍' },
    { target: message(2).id, kind: 'deletion', value: '' },
    { target: messageIdFromBytes(new Uint8Array(16).fill(77)), kind: 'reaction', value: '🌱' },
  ] as const
  const said = (byte: number, hlcMs: number) => ({
    ...{ id: messageIdFromBytes(new Uint8Array(16).fill(byte)), contact: account },
    ...{ own: true, hlcMs, hlcCounter: 0, at: 5_000 },
  })
  await before.commit(words.map((word, at) => ({ kind: 'annotation.put', annotation: { ...word, ...said(90 + at, 5_000) } }) as const))
  const after = new MemoryStore()
  await restore(after, await sealed(before))
  const late = { kind: 'reaction', value: '🎉', own: false } as const
  await after.commit(
    [1, 2].map((n) => ({ kind: 'annotation.put', annotation: { ...said(95 + n, 9_000), ...late, target: message(n).id } }) as const),
  )
  const older = { ...said(99, 4_000), kind: 'edit', value: 'older', target: message(1).id } as const
  expect(await after.commit([{ kind: 'annotation.put', annotation: older }])).toEqual(['duplicate'])
  expect(await after.message(message(1).id)).toMatchObject({ text: 'edited', editedAt: 5_000, ownReaction: '👍', contactReaction: '🎉' })
  expect(await after.message(message(2).id)).toMatchObject({ text: '', deletedAt: 5_000, contactReaction: null })
  // What came before its message is still here for it.
  expect(await after.annotation(said(93, 0).id)).toMatchObject({ value: '🌱' })
})

it('[BK5] a wrong passphrase, a cut or changed file, and no backup at all are refused, and can be tried again', async () => {
  const bytes = await sealed(await lived(900))
  const store = new MemoryStore()
  await expect(restore(store, bytes, 'wrong horse')).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' })
  await expect(restore(store, new TextEncoder().encode('{"is":"backup"}\n'))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' })
  for (const cut of [0, 10, 300, 70_000, bytes.length - 1])
    await expect(restore(store, bytes.slice(0, cut))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' })
  for (const at of [40, 400, bytes.length - 20])
    await expect(restore(store, bytes.with(at, (bytes[at] ?? 0) ^ 1))).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' })
  expect(await store.identity()).toBeNull()
  expect(await restore(store, bytes)).toMatchObject({ messages: 900 })
  await expect(restore(store, bytes)).rejects.toMatchObject({ code: 'BACKUP_REFUSED' })
})

it('[BK1] [BK7] a plain one holds no key and can be read line by line', async () => {
  const store = await lived()
  const text = new TextDecoder().decode(await sealed(store, null))
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { is: string })
  expect(lines.map(({ is }) => is)).toEqual(['backup', 'contact', 'message', 'message', 'message', 'end'])
  const seed = Buffer.from((await store.identity())?.accountSeed ?? []).toString('base64')
  expect(text).not.toContain(seed)
  expect(text).not.toContain(contact.pendingInvite)
})
