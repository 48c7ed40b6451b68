import { afterEach, expect, it, vi } from 'vitest'
import { records } from './records.ts'

afterEach(() => void vi.unstubAllGlobals())

it('[ST32] what is kept beside a database counts once it is on the disk, not when the browser has merely taken it', async () => {
  const asked: unknown[] = []
  const transaction = (...args: unknown[]): unknown => (asked.push(args), { objectStore: () => 'records' })
  const request: Record<string, unknown> = { result: { transaction, close: () => undefined } }
  vi.stubGlobal('indexedDB', {
    open: () => {
      queueMicrotask(() => (request['onsuccess'] as () => void)())
      return request
    },
  })
  expect(await records('a')('readwrite', (store) => store)).toBe('records')
  expect(asked).toEqual([['records', 'readwrite', { durability: 'strict' }]])
})
