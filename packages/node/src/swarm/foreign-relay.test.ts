import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { deviceIdFromKey } from '@skein/core'
import { VirtualClock } from '@skein/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostOf, type MayReach } from './asking.ts'
import { reachOf } from './foreign-relay.ts'
import { getText } from './get-text.ts'
import { fetchDescription, RelayDescriptions } from './relay-description.ts'

const device = deviceIdFromKey(new Uint8Array(32).fill(4))
const signal = new AbortController().signal
const described = (url: string, mayReach: MayReach) => fetchDescription(url, { signal, getText, mayReach })
const addresses = [`/ip4/127.0.0.1/tcp/4001/p2p/${device}`]

describe('a relay that somebody else names', () => {
  let server: Server
  let port: number
  let asked = 0
  let answer: { readonly status: number; readonly body: string; readonly location?: string }

  beforeAll(async () => {
    server = createServer((_request, response) => {
      asked += 1
      response.writeHead(answer.status, answer.location === undefined ? {} : { location: answer.location })
      response.end(answer.body)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterAll(() => server.close())

  it('[CT7] is not asked on this machine, by number or by name, unless our own are there', async () => {
    answer = { status: 200, body: JSON.stringify({ version: 1, peer_id: device, addresses }) }
    const foreign = reachOf([hostOf('https://relay.example:8443')])
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '0x7f.1', '2130706433']) {
      await expect(described(`http://${host}:${port}`, foreign)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
    }
    expect(asked).toBe(0)
    const local = reachOf([hostOf('http://127.0.0.1:8080')])
    for (const host of ['127.0.0.1', 'localhost']) expect((await described(`http://${host}:${port}`, local)).addresses).toEqual(addresses)
    expect(asked).toBe(2)
    expect(reachOf([])('127.0.0.1')).toBe(true)
  })

  it('[CT7] does not lead to this machine by the addresses it announces', async () => {
    const both = [...addresses, `/ip4/93.184.215.14/tcp/4001/p2p/${device}`]
    answer = { status: 200, body: JSON.stringify({ version: 1, peer_id: device, addresses: both }) }
    const elsewhere = (address: string): boolean => asked < 3 && address === '127.0.0.1'
    asked = 2
    const found = await described(`http://127.0.0.1:${port}`, (address) => elsewhere(address) || address.startsWith('93.'))
    expect(found.addresses).toEqual([both[1]])
  })

  it('[CT7] leads to public and to local networks, never to a single link, a group or nowhere', () => {
    const mayReach = reachOf(['relay.example'])
    for (const address of ['93.184.215.14', '2606:4700::1', '192.168.1.4', '10.0.0.1', '100.64.0.1', 'fd00::1'])
      expect(mayReach(address)).toBe(true)
    for (const address of [
      '169.254.169.254',
      'fe80::1',
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '0.0.0.0',
      '224.0.0.1',
      '255.255.255.255',
      'x',
    ])
      expect(mayReach(address)).toBe(false)
  })

  it('[CT7] cannot send us elsewhere, nor answer without end', async () => {
    const local = reachOf(['localhost'])
    const url = `http://127.0.0.1:${port}`
    answer = { status: 302, body: '', location: `${url}/relay.json` }
    asked = 0
    await expect(described(url, local)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
    expect(asked).toBe(1)
    answer = { status: 200, body: 'x'.repeat(1_000_000) }
    await expect(described(url, local)).rejects.toMatchObject({ cause: { message: 'too large' } })
  })

  it('[CT7] is judged, unless it is one of our own', async () => {
    answer = { status: 200, body: JSON.stringify({ version: 1, peer_id: device, addresses }) }
    const own = `http://127.0.0.1:${port}`
    const descriptions = new RelayDescriptions(new VirtualClock(), { signal, getText, own: [own], loadReach: async () => () => false })
    expect((await descriptions.get(own)).addresses).toEqual(addresses)
    await expect(descriptions.get(`http://localhost:${port}`)).rejects.toMatchObject({ code: 'RELAY_UNREACHABLE' })
  })
})
