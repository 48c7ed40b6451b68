import { expect, it } from 'vitest'
import type { BundleKey, HeldBundle, MeshAddress } from './bundle.ts'
import { MemoryBundleStore } from './bundle-store.ts'

const held = (key: string, address: number): HeldBundle => ({
  ...({ id: key, key, lock: key } as unknown as Pick<HeldBundle, 'id' | 'key' | 'lock'>),
  ...{ address: address as MeshAddress, expiresAt: 1, priority: 1, bytes: 1, receivedAt: 1, hops: 0, hopLimit: 1, copies: 1 },
})

it('[ME1] what is for some addresses is found in the order in which it came, and no longer when it is gone', () => {
  const store = new MemoryBundleStore(1_000)
  for (const [key, address] of [
    ['a', 1],
    ['b', 2],
    ['c', 3],
    ['d', 1],
    ['e', 2],
  ] as const)
    store.put(held(key, address))
  const found = (...addresses: number[]): string[] => store.to(new Set(addresses as MeshAddress[])).map(({ key }) => key)
  expect([found(1, 2), found(2), found(9), found(9, 8, 7, 6, 3, 1)]).toEqual([['a', 'b', 'd', 'e'], ['b', 'e'], [], ['a', 'c', 'd']])
  store.put(held('a', 1))
  store.remove('b' as BundleKey)
  expect([found(1, 2), found(3)]).toEqual([['d', 'e', 'a'], ['c']])
})
