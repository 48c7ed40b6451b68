import { expect, it } from 'vitest'
import { Copies } from './copies.ts'

it('[FI33] how far a copy is, is told as it is written, until it is made', async () => {
  const copies = new Copies()
  const told: number[] = []
  copies.subscribe(() => told.push(...copies.get().map(({ done }) => done)))
  const made = copies.make(1_000, async (onBytes) => {
    for (const bytes of [1, 1, 3, 495, 500]) onBytes(bytes)
    return 'made'
  })
  expect(await made).toBe('made')
  expect(told).toEqual([0, 5, 500, 1_000])
  expect(copies.get()).toEqual([])
})

it('[FI33] a copy can be broken off, and another one goes on', async () => {
  const copies = new Copies()
  const ends: (() => void)[] = []
  const make = (): Promise<void> =>
    copies.make(10, async (onBytes, signal) => {
      onBytes(1)
      await new Promise<void>((resolve) => ends.push(resolve))
      signal.throwIfAborted()
    })
  const [first, second] = [make(), make()]
  copies.get()[0]?.cancel()
  for (const end of ends) end()
  await Promise.all([expect(first).rejects.toMatchObject({ name: 'AbortError' }), second])
  expect(copies.get()).toEqual([])
})
