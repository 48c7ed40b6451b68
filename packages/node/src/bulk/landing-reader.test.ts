import { randomBytes, randomInt } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import { connectTo } from './dial.ts'

const ROUNDS = 20

/** What a server sends in pieces of any size, read in pieces of any other. */
async function carried(bytes: Buffer): Promise<Buffer> {
  const server = createServer((socket: Socket) => void send(socket, bytes))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const { socket, reader } = await connectTo({ host: '127.0.0.1', port }, AbortSignal.timeout(30_000))
  const parts: Buffer[] = []
  for (let left = bytes.length; left > 0; ) {
    const wanted = Math.min(left, 1 + randomInt(randomInt(2) === 0 ? 10 : 300_000))
    parts.push(await reader.exactly(wanted))
    left -= wanted
    if (randomInt(8) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await reader.unlessEnded(1)).toBeUndefined()
  socket.destroy()
  server.close()
  return Buffer.concat(parts)
}

async function send(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at, at + 1 + randomInt(200_000))
    at += part.length
    if (!socket.write(part)) await once(socket, 'drain')
  }
  socket.end()
}

it('[BU5] gives every byte once and in order, however they come and are asked for', { timeout: 120_000 }, async () => {
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = randomBytes(1 + randomInt(3_000_000))
    expect(Buffer.compare(await carried(bytes), bytes)).toBe(0)
  }
})

it('[BU5] an end within what is wanted is told from an end in order', { timeout: 60_000 }, async () => {
  const server = createServer((socket: Socket) => socket.end('12345'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const { reader } = await connectTo({ host: '127.0.0.1', port }, AbortSignal.timeout(30_000))
  expect((await reader.exactly(2)).toString()).toBe('12')
  await expect(reader.unlessEnded(10)).rejects.toThrow('broken off')
  server.close()
})
