import { type DeviceId, deviceIdFromKey, type StoredContact } from '@skein/core'
import { expect, it } from 'vitest'
import type { RungReport } from '../../swarm/rungs.ts'
import type { Client } from '../assemble.ts'
import { whyView } from './why.ts'

it('[PT2] without a connection the reasons are those of a device that was tried', () => {
  const [untried, tried] = [1, 2].map((byte) => deviceIdFromKey(new Uint8Array(32).fill(byte))) as [DeviceId, DeviceId]
  const report: RungReport = { rung: 'direct', outcome: 'failed', detail: '1 tried; refused' }
  const client = {
    messenger: { book: { devicesOf: () => [{ device: untried }, { device: tried }] }, meshAddressesOf: () => [] },
    swarm: { paths: () => [], rungs: (device: DeviceId) => (device === tried ? [report] : []) },
  } as unknown as Client
  const view = whyView(client, { account: 'somebody' } as unknown as StoredContact)
  expect(view).toMatchObject({ device: tried, path: 'none' })
  expect(view.reasons.find(({ rung }) => rung === 'direct')).toEqual(report)
})
