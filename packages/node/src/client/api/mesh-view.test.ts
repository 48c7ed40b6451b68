import type { Messenger } from '@skein/core'
import { expect, it } from 'vitest'
import type { Client } from '../assemble.ts'
import { meshView } from './mesh-view.ts'

it('[ME34] what is carried is summed by whom it is for, and each bundle is named to whoever asks for it alone', () => {
  const held = { key: 'aa', address: 9, bytes: 100, hops: 1, copies: 1, receivedAt: 1, expiresAt: 2, isOwn: false }
  const status = {
    ...{ neighbours: [], routes: [], bundles: [held], usedBytes: 0, capacityBytes: 0, clockDiffers: true, pieces: {} },
    carried: [7, 8, 9].map((address) => ({ address, isOwn: address === 8, count: address, bytes: 100 * address })),
  }
  const book = { all: () => [{ account: 'bo', petname: 'Bo' }], devicesOf: () => [{ device: 'd' }], ownerOf: () => undefined }
  const messenger = { mesh: { status: () => status }, book, meshAddressesOf: () => [7, 9] } as unknown as Messenger
  const client = { messenger, config: { mesh: true, lan: true } as Client['config'], pid: 1 }
  const { carried, carried_count: count, bundles, clock_differs: differs } = meshView(client, { bundles: false })
  expect(carried.map(({ contact, own, count: each, bytes }) => [contact, own, each, bytes])).toEqual([
    [null, true, 8, 800],
    ['bo', false, 16, 1_600],
  ])
  expect([count, bundles, differs]).toEqual([24, [], true])
  expect(meshView(client).bundles.map(({ id }) => id)).toEqual(['aa'])
})

it('[ME34] who is part of no mesh is told why', () => {
  const off = (config: Partial<Client['config']>, pid = 1) =>
    meshView({ messenger: { mesh: undefined } as unknown as Messenger, config: config as Client['config'], pid }).off
  expect([off({ mesh: false }), off({ mesh: true, lan: false, bridge: false }), off({ mesh: true }, 0)]).toEqual([
    'option',
    'no-lan',
    'browser',
  ])
})
