import { describe, expect, it } from 'vitest'
import { deviceIdFromKey } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { parseDescription, RelayDescriptions } from './relay-description.ts'

const peer_id = deviceIdFromKey(new Uint8Array(32).fill(4))
const good = { version: 1, peer_id, addresses: [`/ip4/192.0.2.1/tcp/4001/p2p/${peer_id}`], stun: ['stun:192.0.2.1:3478'] }

describe('relay description', () => {
  it('is read', () => {
    expect(parseDescription(JSON.stringify(good))).toEqual({
      device: peer_id,
      addresses: good.addresses,
      stun: good.stun,
      reflector: null,
      givesPlaces: true,
    })
  })

  it('names the TCP reflector, if there is one', () => {
    expect(parseDescription(JSON.stringify({ ...good, reflector: '192.0.2.1:4004' })).reflector).toBe('192.0.2.1:4004')
  })

  it('loses addresses that are not the relay itself', () => {
    const other = deviceIdFromKey(new Uint8Array(32).fill(5))
    const addresses = [
      `/ip4/192.0.2.1/tcp/1/p2p/${other}`,
      `${good.addresses[0]}/p2p-circuit/p2p/${peer_id}`,
      `/nonsense/p2p/${peer_id}`,
      ...good.addresses,
    ]
    expect(parseDescription(JSON.stringify({ ...good, addresses })).addresses).toEqual(good.addresses)
  })

  it.each([
    ['another version', { ...good, version: 2 }],
    ['no addresses', { ...good, addresses: [] }],
    ['a peer id of another kind', { ...good, peer_id: 'QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N' }],
    ['a STUN server that is none', { ...good, stun: ['http://192.0.2.1'] }],
  ])('is refused with %s', (_name, description) => {
    expect(() => parseDescription(JSON.stringify(description))).toThrow()
  })
})

it('[PT14] what a supervisor has been told goes before what is remembered', async () => {
  const url = 'http://relay.test'
  const answers = [4001, 4002].map((port) => JSON.stringify({ ...good, addresses: [`/ip4/192.0.2.1/tcp/${port}/p2p/${peer_id}`] }))
  const getText = async (): Promise<string> => answers[0] ?? ''
  const loadReach = async () => () => true
  const descriptions = new RelayDescriptions(new VirtualClock(), { signal: new AbortController().signal, getText, own: [url], loadReach })
  await descriptions.get(url)
  const told = parseDescription(answers[1] ?? '')
  descriptions.note(url, told)
  expect(await descriptions.get(url)).toBe(told)
})
