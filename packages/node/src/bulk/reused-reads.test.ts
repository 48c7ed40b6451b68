import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ReadBuffers, ReusedReads } from './reused-reads.ts'

const WITHIN = { timeout: 30_000 }
const MIB = 1_048_576
const sockets: Socket[] = []
let server: Server

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  for (const each of sockets.splice(0)) each.destroy()
  await new Promise((resolve) => server.close(resolve))
})

async function pair(): Promise<{ readonly dialled: Socket; readonly accepted: Socket }> {
  const dialled = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  sockets.push(dialled, accepted)
  return { dialled, accepted }
}

it('[BU7] reads into few buffers however much passes, and overwrites nothing that still waits for its receiver', async () => {
  const [from, to] = [await pair(), await pair()]
  let made = 0
  const buffers = new ReadBuffers((bytes) => {
    made += 1
    return Buffer.alloc(bytes)
  })
  const read = new ReusedReads(from.accepted, buffers)
  sockets.push(read.socket)
  const [sent, got] = [createHash('sha256'), createHash('sha256')]
  to.accepted.on('drain', () => read.socket.resume())
  read.socket.once('end', () => to.accepted.end())
  read.start((bytes, done) => {
    to.accepted.write(bytes, () => done())
    if (to.accepted.writableLength > 262_144) read.socket.pause()
  })
  for (let left = 48 * MIB; left > 0; ) {
    const piece = randomBytes(Math.min(left, 1 + Math.floor(Math.random() * MIB)))
    left -= piece.length
    sent.update(piece)
    from.dialled.write(piece)
  }
  from.dialled.end()
  // Only now, when everything is full that lies between them.
  await vi.waitFor(() => expect(to.accepted.writableLength).toBeGreaterThan(262_144), WITHIN)
  for await (const bytes of to.dialled) got.update(bytes as Buffer)
  expect(got.digest('hex')).toBe(sent.digest('hex'))
  expect(made).toBeLessThan(20)
})

it('[BU7] gives a large buffer back with what is short, passes on what had come before, and closes what was accepted with it', async () => {
  const { dialled, accepted } = await pair()
  dialled.write('early')
  await once(accepted, 'readable')
  let made = 0
  const buffers = new ReadBuffers((bytes) => {
    made += 1
    return Buffer.alloc(bytes)
  })
  const read = new ReusedReads(accepted, buffers)
  sockets.push(read.socket)
  let text = ''
  let bytes = 0
  read.start((came) => {
    bytes += came.length
    if (came.length < 100) text += came.toString()
  })
  expect(text).toBe('early')
  const told = once(accepted, 'close')
  for (let round = 1; round <= 3; round += 1) {
    dialled.write(Buffer.alloc(20_000))
    await vi.waitFor(() => expect(bytes).toBe(round * 20_005), WITHIN)
    dialled.write('short')
    await vi.waitFor(() => expect(bytes).toBe(5 + round * 20_005), WITHIN)
  }
  expect(text).toBe('earlyshortshortshort')
  // On Windows a connection cannot be moved to another socket.
  expect(made).toBe(process.platform === 'win32' ? 0 : 1)
  dialled.resetAndDestroy()
  await told
})
