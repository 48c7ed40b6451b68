import { randomBytes } from 'node:crypto'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CHALLENGE_BYTES, MAGIC, MAX_TICKETS_PER_DEVICE, MAX_TRIES_PER_TICKET, OPENING_WITHIN_MS, TICKET_AGE_MS } from './constants.ts'
import type { RawSocket } from './byte-reader.ts'
import { proveTo } from './opening.ts'
import { SocketReader } from './socket-reader.ts'
import { type Expected, Tickets } from './tickets.ts'

const rawOf = (socket: Socket): RawSocket => ({ socket, reader: new SocketReader(socket) })
const NEVER = new AbortController().signal
const WITHIN = { timeout: 60_000 }
const sockets: Socket[] = []
let tickets: Tickets
let server: Server

beforeEach(async () => {
  tickets = new Tickets()
  server = createServer((socket) => {
    sockets.push(socket)
    void tickets.admit(socket, NEVER)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterEach(() => {
  tickets.clear()
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

interface Outcome {
  opened: Socket[]
  expired: number
}

function expected(ticket: Buffer, key: Buffer, device = 'ana'): { wanted: Expected; outcome: Outcome } {
  const outcome: Outcome = { opened: [], expired: 0 }
  const wanted = {
    ticket,
    key,
    device,
    onOpened: ({ socket }: RawSocket) => outcome.opened.push(socket),
    onExpired: () => void outcome.expired++,
  }
  return { wanted, outcome }
}

async function dial(): Promise<Socket> {
  const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

describe('the opening of a raw connection', { timeout: 120_000 }, () => {
  it('[BU2, BU3] needs the key of a ticket, opens once, and says who expects it', async () => {
    const [ticket, key] = [randomBytes(16), randomBytes(32)]
    const { wanted, outcome } = expected(ticket, key)
    expect(tickets.expect(wanted)).toBe(true)
    await proveTo(rawOf(await dial()), { ticket, key }, NEVER)
    await vi.waitFor(() => expect(outcome.opened).toHaveLength(1), WITHIN)
    await expect(dial().then((socket) => proveTo(rawOf(socket), { ticket, key }, NEVER))).rejects.toThrow()
    expect([outcome.opened.length, outcome.expired, tickets.size]).toEqual([1, 0, 0])
  })

  it('[BU2] is refused to a wrong key, and the dialler refuses an acceptor without it', async () => {
    const [ticket, key] = [randomBytes(16), randomBytes(32)]
    const { wanted, outcome } = expected(ticket, key)
    tickets.expect(wanted)
    await expect(dial().then((socket) => proveTo(rawOf(socket), { ticket, key: randomBytes(32) }, NEVER))).rejects.toThrow(/ended|broken/)
    const liar = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      socket.write(randomBytes(CHALLENGE_BYTES + 32))
    })
    await once(liar.listen(0, '127.0.0.1'), 'listening')
    const socket = createConnection((liar.address() as AddressInfo).port, '127.0.0.1')
    sockets.push(socket)
    await expect(proveTo(rawOf(socket), { ticket, key }, NEVER)).rejects.toThrow('the other side does not have the key')
    liar.close()
    expect(outcome.opened).toEqual([])
    await proveTo(rawOf(await dial()), { ticket, key }, NEVER)
  })

  it('[BU2] what was recorded proves nothing to a fresh challenge', async () => {
    const key = randomBytes(32)
    const [first, second] = [randomBytes(16), randomBytes(16)]
    const a = expected(first, key)
    tickets.expect(a.wanted)
    const socket = await dial()
    const written: Buffer[] = []
    const write = socket.write.bind(socket)
    socket.write = ((bytes: Buffer) => written.push(Buffer.from(bytes)) > 0 && write(bytes)) as typeof socket.write
    await proveTo(rawOf(socket), { ticket: first, key }, NEVER)
    const b = expected(second, key)
    tickets.expect(b.wanted)
    const again = await dial()
    again.write(Buffer.concat([MAGIC, second]))
    await once(again, 'readable')
    again.write(written[1] ?? Buffer.alloc(0))
    await vi.waitFor(() => expect(again.destroyed || again.readableEnded || again.read() !== undefined).toBe(true), WITHIN)
    again.resume()
    await vi.waitFor(() => expect(again.closed).toBe(true), WITHIN)
    expect(b.outcome.opened).toEqual([])
  })

  it('[BU3] gives a ticket up after so many wrong proofs, and not before', async () => {
    const [ticket, key] = [randomBytes(16), randomBytes(32)]
    const { wanted, outcome } = expected(ticket, key)
    tickets.expect(wanted)
    const guess = async (): Promise<unknown> => proveTo(rawOf(await dial()), { ticket, key: randomBytes(32) }, NEVER).catch(() => undefined)
    for (let tries = 1; tries < MAX_TRIES_PER_TICKET; tries += 1) await guess()
    expect(outcome.expired).toBe(0)
    await guess()
    expect([outcome.expired, tickets.size]).toEqual([1, 0])
  })

  it('[BU2, BU3] ends what is silent, dribbles or comes too late, and a device has only so many tickets', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const taken = Array.from({ length: MAX_TICKETS_PER_DEVICE + 1 }, () => expected(randomBytes(16), randomBytes(32)))
      expect(taken.map(({ wanted }) => tickets.expect(wanted))).toEqual([
        ...Array.from({ length: MAX_TICKETS_PER_DEVICE }, () => true),
        false,
      ])
      expect(tickets.expect(expected(randomBytes(16), randomBytes(32), 'bo').wanted)).toBe(true)
      vi.advanceTimersByTime(TICKET_AGE_MS)
      expect(tickets.size).toBe(0)
      expect(taken.map(({ outcome }) => outcome.expired)).toEqual([...Array.from({ length: MAX_TICKETS_PER_DEVICE }, () => 1), 0])
    } finally {
      vi.useRealTimers()
    }
    const { wanted, outcome } = expected(randomBytes(16), randomBytes(32))
    tickets.expect(wanted)
    const slow = await dial()
    const drops = setInterval(() => slow.write('S'), OPENING_WITHIN_MS / 10)
    slow.resume()
    await vi.waitFor(() => expect(slow.closed).toBe(true), WITHIN)
    clearInterval(drops)
    expect(outcome.opened).toEqual([])
  })
})
