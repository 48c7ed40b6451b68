import { storeContract } from '@skein/core/contracts'
import { noblePrimitives, type OutboxRow, type Store, type StoreWrite } from '@skein/core'
import { expect, it } from 'vitest'
import { systemClock, systemRandom } from '../platform/system.ts'
import { inMemory, openWasmStore, type WasmPlace } from './sqlite-wasm.ts'
import { DEVICE, message, sessionPut, storageKey } from './store-fixtures.ts'

/** What a page keeps beside the image. */
function surroundings() {
  const mark = { count: 0, read: () => mark.count, write: (count: number) => void (mark.count = count) }
  return { storageKey, primitives: noblePrimitives, random: systemRandom, clock: systemClock, mark }
}

function outboxPut(seq: number): StoreWrite {
  const { id, contact } = message(seq)
  const row = { message: id, contact, device: DEVICE, seq, sealed: Uint8Array.of(seq), state: 'queued', carriers: [] } as const
  const rest: Omit<OutboxRow, keyof typeof row> = { expiresAt: 1_000, transient: false, content: null }
  return { kind: 'outbox.insert', row: { ...row, ...rest } }
}

storeContract('sqlite-wasm', async () => {
  const around = surroundings()
  let current = await openWasmStore({ ...around, place: inMemory() })
  return {
    get store() {
      return current.store
    },
    reopen: async () => {
      // A page does not close its database: it keeps image and mark, and is gone.
      const [image, { count }] = [current.image(), around.mark]
      await current.store.close()
      around.mark.count = count
      current = await openWasmStore({ ...around, place: inMemory(image) })
      return current.store
    },
    [Symbol.asyncDispose]: () => current.store.close(),
  }
})

it('[ST10] an image that is damaged is refused with a code', async () => {
  const image = new TextEncoder().encode('this is no database '.repeat(300))
  await expect(openWasmStore({ ...surroundings(), place: inMemory(image) })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

it('[ST11] no more room refuses the commit, keeps what was there, and goes on with less', async () => {
  const { store } = await openWasmStore({ ...surroundings(), place: inMemory(), maxPages: 66 })
  await store.commit([{ kind: 'message.insert', message: message(1) }])
  const large = { ...message(2), text: 'x'.repeat(400_000) }
  await expect(store.commit([{ kind: 'message.insert', message: large }])).rejects.toMatchObject({ code: 'DISK_FULL' })
  await store.commit([{ kind: 'message.insert', message: message(3) }])
  expect((await store.history(message(1).contact)).map(({ text }) => text)).toEqual([message(1).text, message(3).text])
  await store.close()
})

it('[ST30] an image from before is noticed as an old copy', async () => {
  const around = surroundings()
  const first = await openWasmStore({ ...around, place: inMemory() })
  const old = first.image()
  await first.store.close()
  const second = await openWasmStore({ ...around, place: inMemory(old) })
  expect(second.store.restored).toBe(true)
  await second.store.close()
})

it('[ST32] where a commit is not durable by itself, it resolves only when it has been kept, and fails when it cannot be', async () => {
  let kept = 0
  let held = Promise.withResolvers<void>()
  held.resolve()
  const place = inMemory(undefined, async (image) => {
    kept = image.length
    await held.promise
  })
  const { store } = await openWasmStore({ ...surroundings(), place })
  await store.commit([{ kind: 'message.insert', message: message(1) }])
  expect(kept).toBeGreaterThan(0)
  held = Promise.withResolvers()
  let durable = false
  const committing = store.commit([{ kind: 'message.insert', message: message(2) }]).then(() => (durable = true))
  const before = kept
  kept = 0
  while (kept === 0) await systemClock.sleep(1)
  expect([durable, kept >= before]).toEqual([false, true])
  held.resolve()
  await committing
  held = Promise.withResolvers()
  held.promise.catch(() => undefined)
  held.reject(Object.assign(new Error('no room'), { code: 'SQLITE_FULL' }))
  await expect(store.commit([{ kind: 'message.insert', message: message(3) }])).rejects.toMatchObject({ code: 'DISK_FULL' })
})

it('[ST32] what could not be kept is nowhere: not shown, not on its way, and no state of a session', async () => {
  let failing: string | undefined
  let image: Uint8Array | undefined
  const place = inMemory(undefined, async (next) => {
    if (failing !== undefined) throw Object.assign(new Error('not kept'), { code: failing })
    image = next
  })
  const { store } = await openWasmStore({ ...surroundings(), place })
  const put = (number: number): StoreWrite[] => [
    { kind: 'message.insert', message: message(number) },
    outboxPut(number),
    sessionPut(number),
  ]
  const state = async (of: Store) => ({
    texts: (await of.history(message(1).contact)).map(({ text }) => text),
    found: (await of.search('message')).length,
    rows: (await of.outbox(DEVICE, 0, 10)).map((row) => row.message),
    session: (await of.session(DEVICE))?.version,
  })
  for (const code of ['SQLITE_FULL', 'SQLITE_BUSY']) {
    failing = code
    await expect(store.commit(put(1))).rejects.toMatchObject({ code: code === 'SQLITE_FULL' ? 'DISK_FULL' : 'STORE_LOCKED' })
    expect(await state(store)).toEqual({ texts: [], found: 0, rows: [], session: undefined })
  }
  failing = undefined
  await store.commit(put(1))
  failing = 'SQLITE_FULL'
  await expect(store.commit(put(2))).rejects.toMatchObject({ code: 'DISK_FULL' })
  failing = undefined
  await store.commit([{ kind: 'message.insert', message: message(3) }])
  const expected = { texts: ['message 1', 'message 3'], found: 2, rows: [message(1).id], session: 1 }
  expect(await state(store)).toEqual(expected)
  await store.close()
  const again = await openWasmStore({ ...surroundings(), place: inMemory(image) })
  expect(await state(again.store)).toEqual(expected)
  await again.store.close()
})

it('[ST32] an image that there is no memory for is taken back, too, and where that cannot be, the database is closed', async () => {
  const refused = { export: false, load: false }
  const { open, keep } = inMemory(undefined, async () => undefined)
  const withoutMemory: WasmPlace['open'] = (sqlite3) => {
    const { capi, wasm } = sqlite3
    const [take, alloc] = [capi.sqlite3_js_db_export.bind(capi), wasm.allocFromTypedArray.bind(wasm)]
    const unless = (isRefused: boolean): void => {
      if (isRefused) throw Object.assign(new Error('no memory'), { resultCode: capi.SQLITE_NOMEM })
    }
    Object.assign(capi, { sqlite3_js_db_export: (...given: Parameters<typeof take>) => (unless(refused.export), take(...given)) })
    Object.assign(wasm, { allocFromTypedArray: (...given: Parameters<typeof alloc>) => (unless(refused.load), alloc(...given)) })
    return open(sqlite3)
  }
  const { store } = await openWasmStore({ ...surroundings(), place: { open: withoutMemory, ...(keep === undefined ? {} : { keep }) } })
  const put = (number: number) => store.commit([{ kind: 'message.insert', message: message(number) }])
  const texts = async () => (await store.history(message(1).contact)).map(({ text }) => text)
  await put(1)
  refused.export = true
  await expect(put(2)).rejects.toThrow('no memory')
  expect(await texts()).toEqual(['message 1'])
  refused.export = false
  await put(3)
  expect(await texts()).toEqual(['message 1', 'message 3'])
  Object.assign(refused, { export: true, load: true })
  await expect(put(4)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await expect(texts()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await expect(put(5)).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await store.close().catch(() => undefined)
})
