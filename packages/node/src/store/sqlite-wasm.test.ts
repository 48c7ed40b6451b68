import { storeContract } from '@skein/core/contracts'
import { noblePrimitives } from '@skein/core'
import { expect, it } from 'vitest'
import { systemClock, systemRandom } from '../platform/system.ts'
import { inMemory, openWasmStore } from './sqlite-wasm.ts'
import { message, storageKey } from './store-fixtures.ts'

/** What a page keeps beside the image. */
function surroundings() {
  const mark = { count: 0, read: () => mark.count, write: (count: number) => void (mark.count = count) }
  return { storageKey, primitives: noblePrimitives, random: systemRandom, clock: systemClock, mark }
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
    kept = image().length
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
