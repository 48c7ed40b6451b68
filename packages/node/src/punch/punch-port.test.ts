import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { openPunchPort } from './punch-port.ts'
import { ownPublicHosts } from './targets.ts'

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(() => {
  for (const each of servers.splice(0)) each.close()
  for (const each of sockets.splice(0)) each.destroy()
})

/** A reflector that says this; the sockets that it has. */
async function reflector(text: (socket: Socket) => string): Promise<{ readonly place: string; readonly open: Socket[] }> {
  const open: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    open.push(socket)
    sockets.push(socket)
    const line = text(socket)
    if (line !== '') socket.end(line)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { place: `127.0.0.1:${(server.address() as AddressInfo).port}`, open }
}

const deps = (onForged: () => void = () => undefined) => ({ random: systemRandom, signal: new AbortController().signal, onForged })

it('[PT5] a reflector that lies is counted and keeps nobody from another one; a private address is of no use', {
  timeout: 60_000,
}, async () => {
  let forged = 0
  const lines = ['foo:1', '192.168.1.7:4001', '9.9.9.9', '9.9.9.9:4002']
  const places = await Promise.all(lines.map((each) => reflector(() => `${each}\n`)))
  const port = await openPunchPort(
    places.map(({ place }) => place),
    deps(() => (forged += 1)),
  )
  const own = ownPublicHosts().map((host) => ({ host, port: port.port }))
  expect(port.seenAs).toEqual([{ host: '9.9.9.9', port: 4002 }, ...own])
  expect(forged).toBe(2)
  port.release()
})

it('[PT5] a reflector that goes on talking is left; what it said first counts', { timeout: 60_000 }, async () => {
  const talking = await reflector((socket) => (socket.write('9.9.9.9:4001\n'), ''))
  const port = await openPunchPort([talking.place], deps())
  expect(port.seenAs).toContainEqual({ host: '9.9.9.9', port: 4001 })
  const [socket] = talking.open
  expect(socket?.destroyed).toBe(false)
  socket?.write('and more')
  await vi.waitFor(() => expect(socket?.closed).toBe(true), { timeout: 30_000 })
  port.release()
})

it('[PT5] a reflector that says nothing is given up soon after another has answered; the mapping is kept until it is released', {
  timeout: 60_000,
}, async () => {
  const good = await reflector(() => '9.9.9.9:4001\n')
  const silent = await reflector(() => '')
  const port = await openPunchPort([silent.place, good.place], deps())
  expect(port.seenAs).toContainEqual({ host: '9.9.9.9', port: 4001 })
  await vi.waitFor(() => expect(silent.open.map(({ closed }) => closed)).toEqual([true]), { timeout: 30_000 })
  expect(good.open.map(({ closed }) => closed)).toEqual([false])
  port.release()
  await vi.waitFor(() => expect(good.open.map(({ closed }) => closed)).toEqual([true]), { timeout: 30_000 })
})
