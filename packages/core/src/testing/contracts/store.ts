/** What every Store keeps (docs/spec/store.md). */
import { describe, expect, it } from 'vitest'
import { type AccountId, accountIdFromDigest, type DeviceId, deviceIdFromKey, messageIdFromBytes } from '../../ids.ts'
import type { OutboxRow, Store, StoredContact, StoredDevice, StoredMessage, StoredOneTimePrekey, StoredPrekey } from '../../ports/index.ts'

import { conversationTests } from './store-conversation.ts'
import { receiptTests } from './store-receipts.ts'
import { transferTests } from './store-transfers.ts'

export interface StoreUnderTest extends AsyncDisposable {
  readonly store: Store
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>
}

const account: AccountId = accountIdFromDigest(new Uint8Array(32).fill(7))
const device: DeviceId = deviceIdFromKey(new Uint8Array(32).fill(8))
const other: DeviceId = deviceIdFromKey(new Uint8Array(32).fill(9))
const id = (byte: number) => messageIdFromBytes(new Uint8Array(16).fill(byte))

function message(number: number, change: Partial<StoredMessage> = {}): StoredMessage {
  return {
    id: id(number),
    contact: account,
    direction: 'out',
    sender: device,
    kind: 'text',
    text: `text ${number}`,
    replyTo: null,
    shared: null,
    disappearAfterMs: null,
    disappearAt: null,
    editedAt: null,
    deletedAt: null,
    ownReaction: null,
    contactReaction: null,
    seen: true,
    state: 'queued',
    reason: null,
    createdAt: 1_000 + number,
    hlcMs: 1_000 + number,
    hlcCounter: 0,
    receivedAt: null,
    deliveredAt: null,
    ...change,
  }
}

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
  pendingInvite: '',
}
const known = (name: DeviceId): StoredDevice => ({
  device: name,
  account,
  dhKey: new Uint8Array(32).fill(2),
  lastSeen: null,
  cardSent: 0,
  bundle: Uint8Array.of(5),
  handover: Uint8Array.of(6, 7),
})
const row = (number: number, change: Partial<OutboxRow> = {}): OutboxRow => ({
  message: id(number),
  contact: account,
  device: other,
  seq: number,
  sealed: Uint8Array.of(number),
  state: 'queued',
  carriers: [],
  expiresAt: 900,
  transient: false,
  content: null,
  ...change,
})

const prekey: StoredPrekey = {
  id: 3,
  secret: new Uint8Array(32).fill(1),
  kemSeed: new Uint8Array(64).fill(2),
  createdAt: 11,
  supersededAt: null,
}

const oneTime: StoredOneTimePrekey = { id: 0xfffffffe, device, secret: new Uint8Array(32).fill(3), expiresAt: 70 }

export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`store: ${name}`, () => {
    it('[ST1] what was committed is there after reopening', async () => {
      await using under = await open()
      const identity = {
        accountSeed: new Uint8Array(32).fill(3),
        deviceSeed: new Uint8Array(32).fill(4),
        dhSecret: new Uint8Array(32).fill(5),
        createdAt: 9,
      }
      await under.store.commit([
        { kind: 'identity.put', identity },
        { kind: 'contact.put', contact, devices: [known(device)] },
        { kind: 'invite.put', invite: { secret: new Uint8Array(16).fill(6), expiresAt: 10, revoked: false, admitted: 0 } },
        { kind: 'session.put', session: { device, version: 1, state: Uint8Array.of(9) } },
        { kind: 'prekey.put', prekey },
        { kind: 'one-time.put', prekey: oneTime },
        { kind: 'digest.put', digest: new Uint8Array(32), expiresAt: 50 },
        { kind: 'seq.put', device, seq: 4 },
        { kind: 'setting.put', key: 'a', value: 'b' },
        { kind: 'message.insert', message: message(1) },
        { kind: 'outbox.insert', row: row(1) },
      ])
      const store = await under.reopen()
      expect(await store.identity()).toEqual(identity)
      expect(await store.contact(account)).toEqual(contact)
      expect(await store.devices(account)).toEqual([known(device)])
      expect((await store.invites()).map(({ expiresAt }) => expiresAt)).toEqual([10])
      expect((await store.session(device))?.state).toEqual(Uint8Array.of(9))
      expect(await store.prekeys()).toEqual([prekey])
      expect(await store.oneTimePrekeys(device)).toEqual([oneTime])
      expect(await store.hasDigest(new Uint8Array(32))).toBe(true)
      expect([await store.seq(device), await store.seq(other), await store.setting('a'), await store.setting('b')]).toEqual([
        4,
        0,
        'b',
        null,
      ])
      expect(await store.message(id(1))).toEqual(message(1))
      expect(await store.outbox(other, 0, 10)).toEqual([row(1)])
      expect(await store.outboxDevices()).toEqual([{ device: other, rows: 1, attempts: 0, nextAt: 0 }])
    })

    conversationTests(open, { account, message, id })
    transferTests(open, { account, message, id })
    receiptTests(open, { device, other, contact, known, message, row, id })

    it('[ST2] a commit is applied wholly or not at all', async () => {
      await using under = await open()
      const broken = { kind: 'message.insert', message: { ...message(2), text: null as unknown as string } } as const
      const tried = under.store.commit([{ kind: 'message.insert', message: message(1) }, broken])
      const good = under.store.commit([{ kind: 'message.insert', message: message(3) }])
      const failed = await tried.then(
        () => false,
        () => true,
      )
      expect(await good).toEqual(['done'])
      const ids = (await under.store.history(account)).map((each) => each.id)
      expect(ids).toEqual(failed ? [id(3)] : [id(1), id(2), id(3)])
    })

    it('[ST16] an invite once revoked stays so, and its count never falls', async () => {
      await using under = await open()
      const invite = { secret: new Uint8Array(16).fill(6), expiresAt: 10, revoked: false, admitted: 2 }
      await under.store.commit([{ kind: 'invite.put', invite }])
      await under.store.commit([{ kind: 'invite.put', invite: { ...invite, revoked: true, admitted: 1 } }])
      await under.store.commit([{ kind: 'invite.put', invite: { ...invite, admitted: 3 } }])
      expect(await (await under.reopen()).invites()).toEqual([{ ...invite, revoked: true, admitted: 3 }])
    })

    it('[ST3] a message is stored once per sender', async () => {
      await using under = await open()
      const twice = { kind: 'message.insert', message: message(1) } as const
      expect(await under.store.commit([twice])).toEqual(['done'])
      expect(await under.store.commit([{ ...twice, message: message(1, { text: 'other' }) }])).toEqual(['duplicate'])
      expect(await under.store.commit([{ ...twice, message: message(1, { sender: other }) }])).toEqual(['done'])
      expect((await under.store.history(account)).map(({ text }) => text).sort()).toEqual(['text 1', 'text 1'])
    })

    it('[ST4] history is in order, pages forward and back from a message, page by page to either end', async () => {
      await using under = await open()
      const numbers = [5, 1, 4, 2, 3]
      await under.store.commit(
        numbers.map((number) => ({ kind: 'message.insert', message: message(number, { hlcMs: 100, hlcCounter: number }) }) as const),
      )
      const seen = async (page = {}) => (await under.store.history(account, page)).map(({ hlcCounter }) => hlcCounter)
      expect(await seen()).toEqual([1, 2, 3, 4, 5])
      expect(await seen({ limit: 2 })).toEqual([4, 5])
      expect(await seen({ after: id(2), limit: 2 })).toEqual([3, 4])
      expect(await seen({ after: id(5) })).toEqual([])
      expect(await seen({ before: id(4), limit: 2 })).toEqual([2, 3])
      expect(await seen({ before: id(1) })).toEqual([])
      await expect(under.store.history(account, { after: id(99) })).rejects.toMatchObject({ code: 'MESSAGE_UNKNOWN' })
    })

    it('[ST5] the outbox gives its rows in order, page by page, says when each device is tried next, and forgets what is removed', async () => {
      await using under = await open()
      await under.store.commit([3, 1, 2].map((number) => ({ kind: 'outbox.insert', row: row(number) }) as const))
      await under.store.commit([{ kind: 'outbox.retry', device: other, attempts: 2, nextAt: 500 }])
      const store = await under.reopen()
      expect(await store.outboxDevices()).toEqual([{ device: other, rows: 3, attempts: 2, nextAt: 500 }])
      expect((await store.outbox(other, 0, 2)).map(({ seq }) => seq)).toEqual([1, 2])
      expect((await store.outbox(other, 2, 10)).map(({ seq }) => seq)).toEqual([3])
      await store.commit([1, 2, 3].map((number) => ({ kind: 'outbox.remove', message: id(number), device: other }) as const))
      expect(await store.outboxDevices()).toEqual([])
    })

    it('[ST40] a row is carried once its first carrier holds it, knows each of them once, and is found when it has expired', async () => {
      await using under = await open()
      await under.store.commit([1, 2].map((number) => ({ kind: 'outbox.insert', row: row(number, { expiresAt: number * 100 }) }) as const))
      const carried = (carrier: string) => ({ kind: 'outbox.carried', message: id(1), device: other, carrier }) as const
      await under.store.commit([{ kind: 'message.insert', message: message(1) }])
      expect(await under.store.commit([carried('a'), carried('b'), carried('a')])).toEqual(['done', 'done', 'duplicate'])
      expect((await under.store.message(id(1)))?.state).toBe('carried')
      expect(await under.store.outboxOf(id(1))).toEqual([row(1, { expiresAt: 100, state: 'carried', carriers: ['a', 'b'] })])
      await under.store.commit([{ kind: 'outbox.recall', message: id(1), device: other }])
      expect(await under.store.outboxOf(id(1))).toEqual([row(1, { expiresAt: 100, state: 'carried' })])
      expect((await under.store.outboxExpired(100, 10)).map(({ seq }) => seq)).toEqual([1])
      expect(await under.store.outboxExpired(1_000, 1)).toHaveLength(1)
      // Given up while a carrier took it: nobody tries any more, so it has failed.
      await under.store.commit([
        { kind: 'outbox.remove', message: id(1), device: other },
        { kind: 'message.state', id: id(1), state: 'failed', at: 9, reason: 'cancelled' },
      ])
      expect(await under.store.commit([carried('c')])).toEqual(['duplicate'])
      expect((await under.store.message(id(1)))?.state).toBe('failed')
    })

    it('[ST41] what has become of a message at each device only moves forward', async () => {
      await using under = await open()
      const progress = (state: 'failed' | 'delivered' | 'read', at: number) =>
        ({
          kind: 'progress.put',
          progress: { message: id(1), device: other, state, reason: state === 'failed' ? 'expired' : null, at },
        }) as const
      const seen: string[] = []
      await under.store.commit([progress('failed', -2), progress('failed', -1)])
      expect(await under.store.progress(id(1))).toEqual([progress('failed', -1).progress])
      for (const [at, state] of (['failed', 'delivered', 'failed', 'read', 'delivered'] as const).entries()) {
        await under.store.commit([progress(state, at)])
        seen.push((await under.store.progress(id(1))).map((each) => each.state).join())
      }
      expect(seen).toEqual(['failed', 'delivered', 'delivered', 'read', 'read'])
      expect(await (await under.reopen()).progress(id(1))).toEqual([progress('read', 3).progress])
    })

    it('[ST42] tokens are kept by mailbox and giver until they are spent', async () => {
      await using under = await open()
      const token = (byte: number) => new Uint8Array(146).fill(byte)
      const put = (byte: number, mailbox: string, giver: AccountId | null = null) =>
        ({ kind: 'token.put', mailbox, token: token(byte), giver }) as const
      await under.store.commit([put(1, 'a'), put(2, 'a'), put(2, 'a', account), put(3, 'b'), put(4, 'a', account), put(5, 'b', account)])
      await under.store.commit([{ kind: 'token.remove', token: token(1) }])
      const store = await under.reopen()
      const ours = [await store.tokens('a', null, 10), await store.tokens('b', null, 10), await store.tokens('b', null, 0)]
      expect(ours).toEqual([[token(2)], [token(3)], []])
      expect([await store.tokens('a', account, 10), await store.tokens('b', account, 10)]).toEqual([[token(4)], [token(5)]])
      // The newest come first, and stay where there are too many.
      await store.commit([6, 7, 8].map((byte) => put(byte, 'a', account)))
      expect(await store.tokens('a', account, 2)).toEqual([token(8), token(7)])
      await store.commit([{ kind: 'token.trim', giver: account, most: 3 }])
      expect([await store.tokens('a', account, 10), await store.tokens('b', account, 10)]).toEqual([[token(8), token(7), token(6)], []])
      expect(await store.tokens('a', null, 10)).toEqual([token(2)])
    })

    it('[ST6] a message only moves forward', async () => {
      await using under = await open()
      await under.store.commit([{ kind: 'message.insert', message: message(1) }])
      const moves = ['carried', 'delivered', 'carried', 'failed', 'read', 'delivered'] as const
      const states: string[] = []
      for (const [at, state] of moves.entries()) {
        await under.store.commit([{ kind: 'message.state', id: id(1), state, at: 10 + at }])
        states.push((await under.store.message(id(1)))?.state ?? '')
      }
      expect(states).toEqual(['carried', 'delivered', 'delivered', 'delivered', 'read', 'read'])
      expect((await under.store.message(id(1)))?.deliveredAt).toBe(11)
    })

    it('[ST7] a card that does not know what is known of a device does not forget it', async () => {
      await using under = await open()
      await under.store.commit([{ kind: 'contact.put', contact, devices: [known(device), known(other)] }])
      await under.store.commit([
        { kind: 'device.seen', device, at: 77 },
        { kind: 'device.card-sent', device, issuedAt: 3 },
        { kind: 'device.handover', device, handover: Uint8Array.of(8) },
      ])
      await under.store.commit([{ kind: 'contact.put', contact: { ...contact, petname: 'anna' }, devices: [known(device)] }])
      expect(await under.store.devices()).toEqual([{ ...known(device), lastSeen: 77, cardSent: 3, handover: Uint8Array.of(8) }])
      expect((await under.store.contacts()).map(({ petname }) => petname)).toEqual(['anna'])
    })

    it('[ST13] session states follow each other without gaps: what was made from another state fails as a whole', async () => {
      await using under = await open()
      const session = (version: number) => ({ kind: 'session.put', session: { device, version, state: Uint8Array.of(version) } }) as const
      const conflict = { code: 'SESSION_CONFLICT' }
      await expect(under.store.commit([session(2)])).rejects.toMatchObject(conflict)
      await under.store.commit([session(1)])
      const tried = [1, 3, 2].map((version) =>
        under.store.commit([{ kind: 'message.insert', message: message(version) }, session(version)]),
      )
      await expect(tried[0]).rejects.toMatchObject(conflict)
      await expect(tried[1]).rejects.toMatchObject(conflict)
      await tried[2]
      expect(await under.store.session(device)).toEqual({ device, version: 2, state: Uint8Array.of(2) })
      expect((await under.store.history(account)).map((each) => each.id)).toEqual([id(2)])
    })

    it('[ST14] prekeys are replaced and removed; digests are remembered until pruned', async () => {
      await using under = await open()
      await under.store.commit([
        { kind: 'prekey.put', prekey },
        { kind: 'prekey.put', prekey: { ...prekey, id: 4 } },
      ])
      await under.store.commit([
        { kind: 'prekey.put', prekey: { ...prekey, supersededAt: 12 } },
        { kind: 'prekey.remove', id: 4 },
      ])
      expect(await under.store.prekeys()).toEqual([{ ...prekey, supersededAt: 12 }])
      const digest = (byte: number) => new Uint8Array(32).fill(byte)
      await under.store.commit([1, 2, 2].map((byte) => ({ kind: 'digest.put', digest: digest(byte), expiresAt: byte * 100 }) as const))
      await under.store.commit([{ kind: 'digest.prune', before: 150 }])
      expect([await under.store.hasDigest(digest(1)), await under.store.hasDigest(digest(2))]).toEqual([false, true])
    })

    it('[ST17] one-time prekeys are found by their device, the oldest first, until they are removed or have expired', async () => {
      await using under = await open()
      const put = (number: number, to = device) =>
        ({ kind: 'one-time.put', prekey: { ...oneTime, id: number, device: to, expiresAt: 100 - number } }) as const
      await under.store.commit([put(1), put(2), put(3), put(4, other)])
      const ids = async (of = device) => (await under.store.oneTimePrekeys(of)).map((each) => each.id)
      expect([await ids(), await ids(other)]).toEqual([[3, 2, 1], [4]])
      await under.store.commit([{ kind: 'one-time.remove', id: 2 }])
      await under.store.commit([{ kind: 'one-time.prune', before: 98 }])
      expect([await ids(), await ids(other)]).toEqual([[1], []])
    })

    it('[ST15] a row of the outbox takes new bytes; one that has gone does not come back', async () => {
      await using under = await open()
      await under.store.commit([{ kind: 'outbox.insert', row: row(1) }])
      const reseal = (number: number) => ({ kind: 'outbox.reseal', message: id(number), device: other, sealed: Uint8Array.of(77) }) as const
      await under.store.commit([reseal(1), reseal(2)])
      expect(await under.store.outbox(other, 0, 10)).toEqual([row(1, { sealed: Uint8Array.of(77) })])
    })

    it('[ST8] a closed store says so', async () => {
      await using under = await open()
      await under.store.close()
      await under.store.close()
      await expect(under.store.contacts()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
      await expect(under.store.commit([])).rejects.toMatchObject({ code: 'STORE_CLOSED' })
    })
  })
}
