/** What every Store does with files on their way (docs/spec/files.md). */
import { expect, it } from 'vitest'
import type { AccountId, MessageId } from '../../ids.ts'
import type { StoredFileWord, StoredMessage, StoredTransfer, StoreWrite } from '../../ports/index.ts'
import type { StoreUnderTest } from './store.ts'

interface Makers {
  readonly account: AccountId
  readonly message: (number: number) => StoredMessage
  readonly id: (byte: number) => MessageId
}

export function transferTests(open: () => Promise<StoreUnderTest>, { account, message, id }: Makers): void {
  const transfer = (number: number, change: Partial<StoredTransfer> = {}): StoredTransfer => ({
    id: id(number),
    direction: 'in',
    contact: account,
    device: message(1).sender,
    state: 'offered',
    reason: null,
    manifest: Uint8Array.of(number, 2, 3),
    place: '',
    bytes: 0,
    moved: 0,
    sha256: null,
    path: null,
    told: false,
    askers: null,
    createdAt: 1_000 + number,
    updatedAt: 1_000 + number,
    ...change,
  })

  it('[FI7] transfers are kept, changed, and found by id and direction; the newest comes first', async () => {
    await using under = await open()
    await under.store.commit([1, 2].map((number) => ({ kind: 'transfer.offer', transfer: transfer(number) }) as const))
    const done = transfer(1, {
      state: 'done',
      bytes: 2 ** 40,
      moved: 2 ** 41,
      sha256: 'ab',
      path: '/there',
      told: true,
      reason: 'x',
      updatedAt: 9,
    })
    const own = transfer(1, { direction: 'out', place: 'here', askers: '[]' })
    await under.store.commit([
      { kind: 'transfer.put', transfer: done },
      { kind: 'transfer.put', transfer: own },
      { kind: 'transfer.offer', transfer: transfer(2, { state: 'failed' }) },
    ])
    const store = await under.reopen()
    expect(await store.transfer(id(1), 'in')).toEqual(done)
    expect(await store.transfer(id(1), 'out')).toEqual(own)
    expect(await store.transfer(id(3), 'in')).toBeNull()
    expect((await store.transfers()).map(({ id: of, state }) => [of, state])).toEqual([
      [id(2), 'offered'],
      [id(1), expect.any(String)],
      [id(1), expect.any(String)],
    ])
  })

  it('[FI35] words about files are kept once each, up to a bound for each contact, and go when they are dealt with or old', async () => {
    await using under = await open()
    const word = (number: number, change: Partial<StoredFileWord> = {}): StoreWrite => ({
      kind: 'file-word.put',
      word: { id: id(number), contact: account, transfer: id(9), word: new Uint8Array(4).fill(number), at: number, ...change },
      most: 10,
    })
    const other = { contact: 'somebody' as AccountId }
    const outcomes = await under.store.commit([word(1), word(1), word(2, { transfer: id(8) }), word(3), word(4, other)])
    expect(outcomes).toEqual(['done', 'duplicate', 'done', 'duplicate', 'done'])
    const store = await under.reopen()
    expect(await store.fileWords(account, id(9))).toEqual([
      { id: id(1), contact: account, transfer: id(9), word: new Uint8Array(4).fill(1), at: 1 },
    ])
    await store.commit([{ kind: 'file-words.remove', contact: account, transfer: id(9) }])
    expect(await store.fileWords(account, id(9))).toEqual([])
    expect(await store.commit([word(5)])).toEqual(['done'])
    await store.commit([{ kind: 'file-words.prune', before: 5 }])
    expect([...(await store.fileWords(account, id(8))), ...(await store.fileWords(account, id(9)))].map(({ at }) => at)).toEqual([5])
    expect(await store.fileWords(other.contact, id(9))).toEqual([])
  })

  it('[FI7] one that is removed is gone, in its own direction alone', async () => {
    await using under = await open()
    const both = [transfer(1), transfer(1, { direction: 'out' })]
    await under.store.commit(both.map((each) => ({ kind: 'transfer.put', transfer: each }) as const))
    await under.store.commit([{ kind: 'transfer.remove', id: id(1), direction: 'in' }])
    expect(await (await under.reopen()).transfers()).toEqual([both[1]])
  })
}
