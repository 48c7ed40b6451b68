import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, it, vi } from 'vitest'
import { systemRandom } from '../platform/system.ts'
import { openPunchPort } from './punch-port.ts'

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

it('[PT5] a reflector that says nothing is given up soon after another has answered; the mapping is kept until it is released', {
  timeout: 60_000,
}, async () => {
  const good = await reflector(() => '203.0.113.9:4001\n')
  const silent = await reflector(() => '')
  const port = await openPunchPort([silent.place, good.place], systemRandom, new AbortController().signal)
  expect(port.seenAs).toContainEqual({ host: '203.0.113.9', port: 4001 })
  await vi.waitFor(() => expect(silent.open.map(({ closed }) => closed)).toEqual([true]), { timeout: 30_000 })
  expect(good.open.map(({ closed }) => closed)).toEqual([false])
  port.release()
  await vi.waitFor(() => expect(good.open.map(({ closed }) => closed)).toEqual([true]), { timeout: 30_000 })
})
