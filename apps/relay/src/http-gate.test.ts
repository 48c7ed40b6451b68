import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { Descriptors } from './descriptors.ts'
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
  ({ headers, socket: { remoteAddress } }) as unknown as IncomingMessage

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
      gate.onAnswer(heavy, MIB)
    }
    expect(gate.refusalOf(heavy, true)).toMatchObject({ code: 429, reason: 'bytes', retryAfterSeconds: 1 })
    expect([gate.refusalOf(heavy, false), gate.refusalOf(other, true)]).toEqual([undefined, undefined])
    expect(out()).toBeGreaterThanOrEqual(2 * MIB)
    clock.now = 2_000
    expect(gate.refusalOf(heavy, true)).toBeUndefined()
    expect(refused).toEqual(['bytes'])
  })

  it('[RL33] while the budget is nearly used pages are slowed for all together, and at its end there are none', () => {
    const slow = gateWith({}, { state: 'slow' })
    slow.gate.onAnswer(from('198.51.100.1'), 10_000)
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
