/** The ways themselves against routers on loopback that speak the protocols' bytes. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock, systemRandom } from '../../platform/system.ts'
import { natPmpWay, pcpWay } from './pcp.ts'
import { upnpWay } from './upnp.ts'

const open: (Socket | Server)[] = []
afterEach(() => {
  for (const each of open.splice(0)) each.close()
})

/** A UDP server on loopback. @returns its port */
async function udp(answer: (bytes: Buffer) => readonly Buffer[]): Promise<number> {
  const socket = createSocket('udp4')
  open.push(socket)
  socket.on('message', (bytes, { port }) => {
    for (const each of answer(bytes)) socket.send(each, port, '127.0.0.1')
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket.address().port
}

const target = () => ({ gateway: '127.0.0.1', host: '127.0.0.1', port: 4_010, wanted: 4_010, signal: AbortSignal.timeout(20_000) })
const deps = { clock: systemClock, random: systemRandom }

describe('a router that speaks NAT-PMP alone', () => {
  it('[PM1] is passed over by PCP, and opens a port by NAT-PMP, garbage before the answer notwithstanding', async () => {
    const serverPort = await udp((bytes) => {
      const version = bytes[0]
      const answer = version !== 0 ? '0081000100000001' : bytes[1] === 0 ? '0080000000000001490a0114' : '00820000000000010faa9c4000000e10'
      return [Buffer.from([7]), Buffer.alloc(0), Buffer.from(answer, 'hex')]
    })
    expect(await pcpWay({ ...deps, serverPort }).map(target())).toBeUndefined()
    expect(await natPmpWay({ ...deps, serverPort }).map(target())).toEqual({ host: '73.10.1.20', port: 40_000, lifetimeS: 3_600 })
  })

  it('[PM1] says when it refuses', async () => {
    const serverPort = await udp(() => [Buffer.from('0080000200000001', 'hex')])
    await expect(natPmpWay({ ...deps, serverPort }).map(target())).rejects.toThrow('nat-pmp: 2')
  })
})

/** A router that describes itself, with `control` behind its service. */
async function upnpRouter(control: RequestListener, description?: RequestListener): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url === '/control') return control(request, response)
    if (description !== undefined) return description(request, response)
    const service = `<serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/control</controlURL>`
    response.end(`<?xml version="1.0"?><root xmlns="x"><device><serviceList><service>${service}</service></serviceList></device></root>`)
  }).listen(0, '127.0.0.1')
  open.push(server)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return udp(() => [Buffer.from(`HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:${port}/root.xml\r\n\r\n`)])
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const part of request) text += part.toString()
  return text
}

const fault = (code: number) =>
  `<s:Envelope xmlns:s="e"><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`
const ADDRESS =
  '<s:Envelope xmlns:s="e"><s:Body><u:GetExternalIPAddressResponse xmlns:u="s"><NewExternalIPAddress>73.10.1.20</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>'
const DONE = '<s:Envelope xmlns:s="e"><s:Body><u:AddPortMappingResponse xmlns:u="s"/></s:Body></s:Envelope>'

describe('a router that speaks UPnP', () => {
  it('[PM7] opens another port where that one is taken, and for ever where it knows no leases', async () => {
    const asked: string[] = []
    const discoveryPort = await upnpRouter(async (request, response) => {
      const body = await bodyOf(request)
      if (body.includes('GetExternalIPAddress')) return void response.end(ADDRESS)
      asked.push(body)
      const isTaken = body.includes('<NewExternalPort>4010<')
      const answer = isTaken ? fault(718) : body.includes('<NewLeaseDuration>0<') ? DONE : fault(725)
      response.writeHead(answer === DONE ? 200 : 500).end(answer)
    })
    const outside = await upnpWay({ ...deps, discoveryPort }).map(target())
    expect(outside).toMatchObject({ host: '73.10.1.20', lifetimeS: 0 })
    expect(outside?.port).not.toBe(4_010)
    expect(asked.at(-1)).toContain(`<NewExternalPort>${outside?.port}<`)
    expect(asked.at(-1)).toContain('<NewInternalClient>127.0.0.1<')
  })

  it('[PM7] says when it refuses', async () => {
    const discoveryPort = await upnpRouter(async (request, response) => {
      const body = await bodyOf(request)
      response.end(body.includes('GetExternalIPAddress') ? ADDRESS : fault(606))
    })
    await expect(upnpWay({ ...deps, discoveryPort }).map(target())).rejects.toThrow('upnp: 606')
  })

  it('[PM3] may not send us elsewhere, or more than it should', async () => {
    const away = await upnpRouter(
      () => undefined,
      (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    )
    await expect(upnpWay({ ...deps, discoveryPort: away }).map(target())).rejects.toThrow()
    const endless = await upnpRouter(
      () => undefined,
      (_request, response) => response.end('<a>'.repeat(100_000)),
    )
    await expect(upnpWay({ ...deps, discoveryPort: endless }).map(target())).rejects.toThrow('too much')
  })
})
