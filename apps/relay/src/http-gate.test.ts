import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { Descriptors } from './descriptors.ts'
import { startHttp } from './http.ts'
import { HttpGate } from './http-gate.ts'
import { parseSettings } from './settings.ts'
import type { BudgetState } from './traffic/budget.ts'

const MIB = 1_048_576

function gateWith(limits: unknown, { behindProxy = false, state = 'none' as BudgetState } = {}) {
  const refused: string[] = []
  const clock = { now: 0 }
  let out = 0
  const gate = new HttpGate({
    limits: () => parseSettings({ limits }).limits,
    budget: () => ({ state, slowBytesPerSecond: 1_024 }),
    onRefused: (reason) => void refused.push(reason),
    onBytes: (bytes) => (out += bytes),
    now: () => clock.now,
    behindProxy,
    descriptors: new Descriptors({ open: '/nowhere', limits: '/nowhere' }),
  })
  return { gate, refused, clock, out: () => out }
}

const socketFrom = (remoteAddress: string): Socket => Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket
const from = (remoteAddress: string, headers = {}): IncomingMessage =>
  ({ headers, socket: Object.assign(new EventEmitter(), { remoteAddress, bytesWritten: 0 }) }) as unknown as IncomingMessage

/** An answer of which so many bytes leave. */
function answer(gate: HttpGate, request: IncomingMessage, bytes: number, sent = bytes): void {
  const response = new EventEmitter() as unknown as ServerResponse
  gate.onAnswer(request, response, bytes)
  Object.assign(request.socket, { bytesWritten: request.socket.bytesWritten + sent })
  response.emit('close')
}

describe('what one address may have of the HTTP port', () => {
  it('[RL33] so many connections, of IPv6 by prefix; who goes makes room', () => {
    const { gate, refused } = gateWith({ httpConnectionsPerAddress: 2, httpConnectionsPerNetwork: 3 })
    const first = socketFrom('2001:db8::1')
    expect([first, socketFrom('2001:db8::2'), socketFrom('2001:db8::3')].map((each) => gate.mayEnter(each))).toEqual([true, true, false])
    expect([socketFrom('2001:db8:0:1::1'), socketFrom('2001:db8:0:2::1')].map((each) => gate.mayEnter(each))).toEqual([true, false])
    expect(gate.mayEnter(socketFrom('198.51.100.1'))).toBe(true)
    first.emit('close')
    expect(gate.mayEnter(socketFrom('2001:db8::4'))).toBe(true)
    expect(refused).toEqual(['connections', 'connections'])
  })

  it('[RL33] so many TLS handshakes a second, of IPv6 by prefix; another is served', () => {
    const { gate, refused, clock } = gateWith({ connectionsPerSecondPerAddress: 1, connectionBurstPerAddress: 2 })
    const greet = (address: string): boolean => gate.mayShakeHands(socketFrom(address))
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3', '198.51.100.1'].map(greet)).toEqual([true, true, false, true])
    expect(gate.mayEnter(socketFrom('2001:db8::4'))).toBe(true)
    clock.now = 1_000
    expect(greet('2001:db8::1')).toBe(true)
    expect(refused).toEqual(['handshakes'])
  })

  it('[RL33] so many requests a second; another is served', () => {
    const { gate, clock } = gateWith({ httpRequestsPerSecondPerAddress: 1, httpRequestBurstPerAddress: 2 })
    const ask = (address: string) => gate.refusalOf(from(address), false)?.code
    expect([1, 2, 3].map(() => ask('198.51.100.1'))).toEqual([undefined, undefined, 429])
    expect(ask('198.51.100.2')).toBeUndefined()
    clock.now = 1_000
    expect(ask('198.51.100.1')).toBeUndefined()
  })

  it('[RL33] so many bytes of pages; what programs ask for is answered all the same, and all of it is counted', () => {
    const { gate, clock, out, refused } = gateWith({ httpBurstBytesPerAddress: 2 * MIB, httpBytesPerSecondPerAddress: MIB })
    const [heavy, other] = [from('198.51.100.1'), from('198.51.100.2')]
    for (let page = 0; page < 2; page += 1) {
      expect(gate.refusalOf(heavy, true)).toBeUndefined()
      answer(gate, heavy, MIB + 512)
    }
    expect(gate.refusalOf(heavy, true)).toMatchObject({ code: 429, reason: 'bytes', retryAfterSeconds: 1 })
    expect([gate.refusalOf(heavy, false), gate.refusalOf(other, true)]).toEqual([undefined, undefined])
    expect(out()).toBeGreaterThanOrEqual(2 * MIB)
    clock.now = 2_000
    expect(gate.refusalOf(heavy, true)).toBeUndefined()
    expect(refused).toEqual(['bytes'])
  })

  it('[RL33] an answer is charged in advance to its address alone, and given back as far as it did not leave', () => {
    const { gate, out } = gateWith({ httpBurstBytesPerAddress: 2 * MIB, httpBytesPerSecondPerAddress: 1 })
    const request = from('198.51.100.1')
    gate.onAnswer(request, new EventEmitter() as unknown as ServerResponse, 4 * MIB)
    expect([gate.refusalOf(request, true)?.reason, out()]).toEqual(['bytes', 0])
    request.socket.emit('close')
    expect([gate.refusalOf(request, true), out()]).toEqual([undefined, 0])
    answer(gate, from('198.51.100.1'), 4 * MIB, 1_000)
    expect([gate.refusalOf(request, true), out()]).toEqual([undefined, 1_000])
  })

  it('[RL33] a network has so many bytes too: one customer of IPv6 has thousands of addresses', () => {
    const { gate } = gateWith({ httpBurstBytesPerNetwork: 2 * MIB, httpBytesPerSecondPerNetwork: 1 })
    for (const host of [1, 2]) answer(gate, from(`2001:db8:0:${host}::1`), MIB + 1)
    expect(gate.refusalOf(from('2001:db8:0:3::1'), true)?.reason).toBe('bytes')
    expect(gate.refusalOf(from('2001:db9::1'), true)).toBeUndefined()
  })

  it('[RL33] who asks for much and goes away has used up what has left, and no more', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'skein-pages-'))
    try {
      writeFileSync(join(folder, 'large.bin'), '')
      truncateSync(join(folder, 'large.bin'), 64 * MIB)
      const { gate, out } = gateWith({ httpBurstBytesPerAddress: 1e12 })
      const sources = { waiting: () => [], describe: () => undefined, metrics: async () => '', status: () => undefined }
      const web = { folder, policy: '' }
      await using http = await startHttp(
        { ...sources, onRequest: () => undefined, memberUrl: () => undefined },
        { gate, host: '127.0.0.1', port: 0, web },
      )
      const client = connect({ port: http.port ?? 0, host: '127.0.0.1' }).on('error', () => undefined)
      client.write('GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50))
      await once(client, 'data')
      client.resetAndDestroy()
      await vi.waitFor(() => expect(out()).toBeGreaterThan(0))
      expect(out()).toBeLessThan(64 * MIB)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('[RL21] requests that can be read in two ways, or are too large, are answered and counted', async () => {
    const { gate, refused } = gateWith({})
    const sources = { waiting: () => [], describe: () => undefined, metrics: async () => '', status: () => undefined }
    await using http = await startHttp(
      { ...sources, onRequest: () => undefined, memberUrl: () => undefined },
      { gate, host: '127.0.0.1', port: 0 },
    )
    const head = 'GET / HTTP/1.1\r\nHost: a\r\n'
    for (const [text, answered, counted] of [
      [`${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400, 'malformed'],
      [`${head}X: ${'a'.repeat(70_000)}\r\n\r\n`, 431, 'size'],
    ] as const) {
      const client = connect({ port: http.port ?? 0, host: '127.0.0.1' }).on('error', () => undefined)
      client.write(text)
      const [answer] = (await once(client, 'data')) as [Buffer]
      expect(answer.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${answered} `))
      expect(refused.splice(0)).toEqual([counted])
    }
  })

  it.skipIf(process.platform !== 'linux').each([
    ['that Node.js still holds', 64 * MIB, false],
    ['that the system holds alone', 400_000, true],
  ])('[RL21, RL24] a client that takes nothing of an answer %s is counted when it is ended, and no other', async (_, bytes, isSent) => {
    const { gate, refused } = gateWith({})
    let sent = 0
    const sources = { waiting: () => [], describe: () => undefined, metrics: async () => 'a'.repeat(bytes), status: () => undefined }
    await using http = await startHttp(
      { ...sources, onRequest: () => (sent += 1), memberUrl: () => undefined },
      { gate, host: '127.0.0.1', port: 0, idleMs: 1_500 },
    )
    const ask = (): Socket => {
      const client = connect({ port: http.port ?? 0, host: '127.0.0.1' }).on('error', () => undefined)
      client.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n')
      return client
    }
    const reads = ask().resume()
    await once(reads, 'close')
    expect([refused, sent]).toEqual([[], 1])
    const deaf = ask().pause()
    await vi.waitFor(() => expect(refused).toEqual(['unread']), { timeout: 60_000 })
    expect(sent === 2).toBe(isSent)
    deaf.destroy()
  })

  it('[RL33] while the budget is nearly used pages are slowed for all together, and at its end there are none', () => {
    const slow = gateWith({}, { state: 'slow' })
    answer(slow.gate, from('198.51.100.1'), 10_000)
    expect(slow.gate.refusalOf(from('198.51.100.2'), true)).toMatchObject({ code: 503, reason: 'budget' })
    expect(slow.gate.refusalOf(from('198.51.100.2'), false)).toBeUndefined()
    slow.clock.now = 60_000
    expect(slow.gate.refusalOf(from('198.51.100.2'), true)).toBeUndefined()
    const stopped = gateWith({}, { state: 'stopped' })
    expect([stopped.gate.refusalOf(from('198.51.100.1'), true)?.code, stopped.gate.refusalOf(from('198.51.100.1'), false)]).toEqual([
      503,
      undefined,
    ])
  })

  it('[RL33] while pages are slowed who has begun to load them gets the rest; others wait until that is paid', () => {
    const { gate, clock } = gateWith({}, { state: 'slow' })
    const ask = (address: string) => gate.refusalOf(from(address), true)?.code
    const files = [20_000, 140_000, 138_000, 400_000, 150_000]
    expect(ask('2001:db8::2')).toBeUndefined()
    for (const [at, bytes] of files.entries()) {
      expect(ask(`2001:db8::${at + 1}`)).toBeUndefined()
      answer(gate, from(`2001:db8::${at + 1}`), bytes)
      expect(ask('198.51.100.2')).toBe(503)
    }
    answer(gate, from('2001:db8::1'), 2 * MIB)
    expect(ask('2001:db8::1')).toBe(503)
    clock.now = (2 * MIB + 900_000) / 1.024
    expect([ask('198.51.100.2'), ask('2001:db8::1')]).toEqual([undefined, undefined])
  })

  it('[RL33] while pages are slowed nobody has for ever what was begun, and not many at one time', () => {
    const { gate, clock } = gateWith({}, { state: 'slow' })
    const ask = (number: number) => gate.refusalOf(from(`198.51.100.${number}`), true)?.code
    const visitors = Array.from({ length: 40 }, (_, number) => number)
    expect(visitors.map(ask)).toEqual(visitors.map(() => undefined))
    answer(gate, from('198.51.100.1'), 500_000)
    expect(visitors.map(ask).filter((each) => each === undefined)).toHaveLength(32)
    clock.now = 120_000
    expect(visitors.map(ask).filter((each) => each === undefined)).toEqual([])
  })

  it('[RL33] behind a web server on this machine whoever it names is counted, and nobody else may name anybody', () => {
    const { gate } = gateWith(
      { httpRequestBurstPerAddress: 1, httpRequestsPerSecondPerAddress: 1, httpConnectionsPerAddress: 1 },
      { behindProxy: true },
    )
    const ask = (address: string, named: string) => gate.refusalOf(from(address, { 'x-forwarded-for': named }), false)?.code
    expect([ask('127.0.0.1', '198.51.100.1'), ask('127.0.0.1', '198.51.100.2'), ask('::1', '198.51.100.1')]).toEqual([
      undefined,
      undefined,
      429,
    ])
    expect([ask('203.0.113.1', '198.51.100.3'), ask('203.0.113.1', '198.51.100.4')]).toEqual([undefined, 429])
    expect([1, 2, 3].map(() => gate.mayEnter(socketFrom('127.0.0.1')))).toEqual([true, true, true])
  })
})
