import { type DeviceId, deviceIdFromKey, type StoredContact } from '@skein/core'
import { expect, it } from 'vitest'
import type { RungReport } from '../../swarm/rungs.ts'
import type { Client } from '../assemble.ts'
import type { WhyView } from './contract.ts'
import { doctorView } from './doctor.ts'
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

it('[ME43] of whoever is reached by nothing it says that the clock here is wrong', () => {
  const device = deviceIdFromKey(new Uint8Array(32).fill(1))
  const status = { routes: [], bundles: [], clockDiffers: true }
  const of = (path: string | undefined): WhyView => {
    const paths = path === undefined ? [] : [{ device, path, transport: 'tcp', rttMs: 3, since: 5 }]
    const messenger = { book: { devicesOf: () => [{ device }] }, meshAddressesOf: () => [], mesh: { status: () => status } }
    const client = { messenger, swarm: { paths: () => paths, rungs: () => [] } } as unknown as Client
    return whyView(client, { account: 'somebody' } as unknown as StoredContact)
  }
  const isSaid = ({ reasons }: WhyView): boolean => reasons.some(({ rung, detail }) => rung === 'mesh' && detail.includes('clock'))
  expect([of(undefined).path, isSaid(of(undefined)), isSaid(of('lan'))]).toEqual(['none', true, false])
  status.clockDiffers = false
  expect(isSaid(of(undefined))).toBe(false)
})

it('[PT2] of a contact with several devices each has its way, and its reasons, the best reached first', () => {
  const [laptop, phone] = [1, 2].map((byte) => deviceIdFromKey(new Uint8Array(32).fill(byte))) as [DeviceId, DeviceId]
  const report: RungReport = { rung: 'udp-punch', outcome: 'failed', detail: 'no hole was found' }
  const path = { rttMs: 3, since: 5 }
  const client = {
    messenger: { book: { devicesOf: () => [{ device: laptop }, { device: phone }] }, meshAddressesOf: () => [] },
    swarm: {
      paths: () => [
        { ...path, device: laptop, path: 'relayed', transport: 'circuit' },
        { ...path, device: phone, path: 'lan', transport: 'tcp' },
      ],
      rungs: (device: DeviceId) => (device === laptop ? [report] : []),
    },
  } as unknown as Client
  const view = whyView(client, { account: 'somebody' } as unknown as StoredContact)
  expect(view).toMatchObject({ device: phone, path: 'lan', rtt_ms: 3, reasons: [{ rung: 'lan', outcome: 'open' }] })
  expect(view.devices.map(({ device, path: way }) => [device, way])).toEqual([
    [phone, 'lan'],
    [laptop, 'relayed'],
  ])
  expect(view.devices[1]?.reasons).toContainEqual(report)
})

it('[OP1] the device that a page comes from is no relay without a place: nothing is wrong there', async () => {
  const relay = { url: 'http://192.168.1.20:8014', device: null, connected: true, reserved: false, passable: false, givesPlaces: false }
  const client = { swarm: { relays: () => [relay], addresses: () => [], clockAheadMs: () => null } } as unknown as Client
  const of = async (): Promise<unknown> => (await doctorView(client)).checks.find(({ about }) => about === relay.url)
  expect(await of()).toMatchObject({ code: 'relay-host', ok: true })
  relay.givesPlaces = true
  expect(await of()).toMatchObject({ code: 'relay-no-place', ok: false })
})
