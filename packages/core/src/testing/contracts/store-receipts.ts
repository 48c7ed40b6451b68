/** What every Store does when a device says that it has a message, or that it was read (docs/spec/delivery.md). */
import { expect, it } from 'vitest'
import { accountIdFromDigest, type DeviceId, deviceIdFromKey, type MessageId } from '../../ids.ts'
import type { OutboxRow, StoredContact, StoredDevice, StoredMessage } from '../../ports/index.ts'
import type { StoreUnderTest } from './store.ts'

interface Makers {
  readonly device: DeviceId
  /** To which rows go. */
  readonly other: DeviceId
  readonly contact: StoredContact
  readonly known: (name: DeviceId) => StoredDevice
  readonly message: (number: number, change?: Partial<StoredMessage>) => StoredMessage
  readonly row: (number: number, change?: Partial<OutboxRow>) => OutboxRow
  readonly id: (byte: number) => MessageId
}

export function receiptTests(open: () => Promise<StoreUnderTest>, { device, other, contact, known, message, row, id }: Makers): void {
  it('[ST43] what was given up and came all the same has come: its device says so', async () => {
    await using under = await open()
    const failed = { message: id(1), device: other, state: 'failed', reason: 'expired', at: 5 } as const
    await under.store.commit([
      { kind: 'message.insert', message: message(1) },
      { kind: 'outbox.insert', row: row(1) },
    ])
    await under.store.commit([
      { kind: 'outbox.remove', message: id(1), device: other },
      { kind: 'progress.put', progress: failed },
      { kind: 'message.state', id: id(1), state: 'failed', reason: 'expired', at: 5 },
    ])
    const delivered = { kind: 'outbox.acknowledged', message: id(1), device: other, state: 'delivered', at: 9 } as const
    expect(await under.store.commit([{ ...delivered, device }])).toEqual(['duplicate'])
    expect(await under.store.commit([delivered, delivered])).toEqual(['done', 'duplicate'])
    expect(await under.store.message(id(1))).toMatchObject({ state: 'delivered', reason: null, deliveredAt: 9 })
    expect((await under.store.progress(id(1))).map(({ state }) => state)).toEqual(['delivered'])
  })

  it('[ST43] what has left for an account may be read on any device of it', async () => {
    await using under = await open()
    const read = (of: DeviceId) => ({ kind: 'outbox.acknowledged', message: id(1), device: of, state: 'read', at: 9 }) as const
    const stranger = { ...known(deviceIdFromKey(new Uint8Array(32).fill(10))), account: accountIdFromDigest(new Uint8Array(32)) }
    await under.store.commit([
      { kind: 'contact.put', contact, devices: [known(other), known(device)] },
      { kind: 'contact.put', contact: { ...contact, account: stranger.account, petname: 'bo' }, devices: [stranger] },
      { kind: 'message.insert', message: message(1) },
      { kind: 'outbox.insert', row: row(1) },
    ])
    expect(await under.store.commit([read(device)])).toEqual(['duplicate'])
    await under.store.commit([{ kind: 'outbox.acknowledged', message: id(1), device: other, state: 'delivered', at: 5 }])
    const delivered = { ...read(device), state: 'delivered' } as const
    expect(await under.store.commit([read(stranger.device), delivered, read(device)])).toEqual(['duplicate', 'duplicate', 'done'])
    expect(await under.store.message(id(1))).toMatchObject({ state: 'read', deliveredAt: 5 })
  })

  it('[ST43] only a device that a message was on its way to can acknowledge it; receipts that are due are kept', async () => {
    await using under = await open()
    const acknowledged = (state: 'delivered' | 'read', of = other) =>
      ({ kind: 'outbox.acknowledged', message: id(1), device: of, state, at: 9 }) as const
    await under.store.commit([
      { kind: 'message.insert', message: message(1) },
      { kind: 'outbox.insert', row: row(1) },
    ])
    expect(await under.store.commit([acknowledged('delivered', device), acknowledged('read', device)])).toEqual(['duplicate', 'duplicate'])
    expect((await under.store.message(id(1)))?.state).toBe('queued')
    expect(await under.store.commit([acknowledged('delivered'), acknowledged('delivered')])).toEqual(['done', 'duplicate'])
    expect(await under.store.message(id(1))).toMatchObject({ state: 'delivered', deliveredAt: 9 })
    expect(await under.store.commit([acknowledged('read')])).toEqual(['done'])
    expect(await under.store.message(id(1))).toMatchObject({ state: 'read', deliveredAt: 9 })
    expect(await under.store.outboxOf(id(1))).toEqual([])
    const due = (number: number, read: boolean) => ({ device, message: id(number), read })
    const put = [due(1, false), due(1, true), due(2, false), due(2, false)].map((receipt) => ({ kind: 'receipt.put', receipt }) as const)
    await under.store.commit([...put, { kind: 'receipt.remove', receipt: due(1, false) }])
    const again = await under.reopen()
    expect(await again.receiptsDue(device, 9)).toEqual([due(1, true), due(2, false)])
    expect(await again.receiptsDue(device, 1)).toHaveLength(1)
    expect([await again.receiptDevices(), await again.receiptsDue(other, 9)]).toEqual([[device], []])
    await again.commit([{ kind: 'receipt.forget', device }])
    expect(await again.receiptDevices()).toEqual([])
  })
}
