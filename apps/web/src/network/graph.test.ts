import type { MeshView, PeerView, StatusView } from '@skein/node/browser'
import { describe, expect, it } from 'vitest'
import { carriedRows } from './carried-rows.ts'
import { networkGraph } from './graph.ts'

const status: StatusView = {
  account: 'account',
  device: 'me',
  name: 'Ana',
  pid: 0,
  addresses: [],
  serves_page: false,
  clock_ahead_ms: null,
  relays: [
    { url: 'http://relay', connected: true, reserved: true, gives_places: true },
    { url: 'http://away', connected: false, reserved: false, gives_places: true },
  ],
}
const peer = (device: string, path: PeerView['path'], name = ''): PeerView => ({
  contact: name === '' ? null : `account of ${name}`,
  name,
  device,
  online: true,
  last_seen: null,
  path,
  asked: false,
})
const mesh: MeshView = {
  enabled: true,
  off: null,
  neighbours: [{ device: 'near', contact: null, name: '', since: 0, bytes_in: 0, bytes_out: 0, routes: 1 }],
  routes: [
    { address: '00000001', contact: 'far', name: 'Bo', ways: [{ device: 'near', hops: 3, quality: 1, proven_at: 0 }] },
    { address: '00000002', contact: null, name: '', ways: [{ device: 'near', hops: 2, quality: 1, proven_at: 0 }] },
  ],
  bundles: [],
  carried: [],
  carried_count: 0,
  clock_differs: false,
  used_bytes: 0,
  pieces: { over_ways: 0, over_carriers: 0, as_copies: 0, over_one_way: 0, joined: 0, survival: 0.7 },
  capacity_bytes: 0,
}

describe('the map of the network', () => {
  it('[ME34] shows relays, those who are reached over them or directly, neighbours, and whom a route leads to', () => {
    const { nodes, edges } = networkGraph({
      status,
      peers: [peer('cy', 'relayed', 'Cy'), peer('di', 'direct', 'Di'), peer('gone', 'none', 'Ed')],
      mesh,
    })
    expect(nodes.map(({ id, kind }) => [id, kind])).toEqual([
      ['me', 'self'],
      ['near', 'stranger'],
      ['http://relay', 'relay'],
      ['cy', 'contact'],
      ['di', 'contact'],
      ['far', 'contact'],
    ])
    expect(edges.map(({ from, to, kind, hops }) => `${from} ${to} ${kind} ${hops}`)).toEqual([
      'me near mesh 1',
      'me http://relay direct 1',
      'http://relay cy relayed 1',
      'me di direct 1',
      'near far route 2',
    ])
  })

  it('[ME34] for whom something is carried from here stands there, unless a way leads to it', () => {
    const sum = (contact: string | null, own: boolean, bytes: number) => ({
      address: '00000001',
      contact,
      name: 'Bo',
      own,
      count: 1,
      bytes,
    })
    const carried = [sum('away', true, 4_000), sum('far', true, 1_000), sum('others', false, 5_000), sum(null, false, 2_000)]
    const { edges } = networkGraph({ status, peers: [], mesh: { ...mesh, carried } })
    expect(edges.filter(({ kind }) => kind === 'carried')).toEqual([{ from: 'me', to: 'away', kind: 'carried', hops: 1 }])
    expect(carriedRows({ carried }).map(({ bytes }) => bytes)).toEqual([5_000, 4_000, 2_000, 1_000])
  })

  it('a neighbour that is known otherwise stands there once, with its name', () => {
    const { nodes, edges } = networkGraph({ status, peers: [peer('near', 'lan', 'Nea')], mesh })
    expect(nodes.filter(({ id }) => id === 'near')).toEqual([{ id: 'near', name: 'Nea', kind: 'contact' }])
    expect(edges.filter(({ to }) => to === 'near')).toHaveLength(1)
  })

  it('is nobody but oneself where nothing is known', () => {
    expect(networkGraph({ status: { ...status, relays: [] }, peers: [], mesh: undefined })).toEqual({
      nodes: [{ id: 'me', name: 'Ana', kind: 'self' }],
      edges: [],
    })
  })
})
