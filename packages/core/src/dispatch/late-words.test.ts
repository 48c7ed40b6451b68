import { expect, it } from 'vitest'
import { accountIdFromDigest, deviceIdFromKey, messageIdFromBytes } from '../ids.ts'
import type { StoredContact, StoredDevice } from '../ports/store.ts'
import { MemoryStore } from '../testing/memory-store.ts'
import { RecordingLogger } from '../testing/recording-logger.ts'
import type { DeliveryControlFields } from '../wire/delivery-control.ts'
import { LateWords } from './late-words.ts'

const by = { device: deviceIdFromKey(new Uint8Array(32).fill(1)), account: accountIdFromDigest(new Uint8Array(32)) } as StoredDevice
const card = (byte: number): DeliveryControlFields => ({
  kind: 'card',
  card: { statement: Uint8Array.of(byte), signature: new Uint8Array(64).fill(byte) },
})
const receipt: DeliveryControlFields = {
  ...{ kind: 'receipt', delivered: [messageIdFromBytes(new Uint8Array(16).fill(3))], read: [], at: 5 },
  proofs: new Uint8Array(64).fill(4),
}

async function run(store: MemoryStore, act: (word: DeliveryControlFields) => Promise<void>) {
  const book = { everyone: () => [{ account: by.account } as StoredContact], devicesOf: () => [by] }
  const words = new LateWords({ store, book, logger: new RecordingLogger(), act: (_, word) => act(word) })
  await words.load()
  return words
}

it('[DL26] what a word asks for is done at the next start if a crash comes behind its commit, or the disk was full', async () => {
  const store = new MemoryStore()
  const done: DeliveryControlFields[] = []
  const crashed = await run(store, async () => undefined)
  await store.commit(crashed.effect(by, card(1)).writes)
  await store.commit(crashed.effect(by, receipt).writes)
  const second = store.reopened()
  const full = await run(second, async (word) => {
    if (word.kind === 'card') throw new Error('no room')
    done.push(word)
  })
  await full.takeUp()
  expect(done).toEqual([receipt])
  const again = await run(second.reopened(), async (word) => void done.push(word))
  await again.takeUp()
  expect(done).toEqual([receipt, card(1)])
})

it('[DL26] what is done is not done again', async () => {
  const store = new MemoryStore()
  const done: DeliveryControlFields[] = []
  const act = async (word: DeliveryControlFields): Promise<void> => void done.push(word)
  const words = await run(store, act)
  for (const word of [card(1), card(2)]) {
    const { writes, committed } = words.effect(by, word)
    await store.commit(writes)
    committed()
  }
  await words.takeUp()
  const before = done.length
  await (await run(store.reopened(), act)).takeUp()
  expect(done.slice(before)).toEqual([])
})
