/** What anybody can throw at a relay's ports: limits hold, others are served, the counter moves, nothing ends. */
import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { randomBytes } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { probeRelay } from '@skein/node/swarm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEADLINE_MS, isCounted, metric, type RunningRelay, TestRelays } from './test-relay.ts'

const WITHIN = { timeout: DEADLINE_MS, interval: 100 }
const relays = new TestRelays()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await relays.clear()
})

interface Opened {
  readonly socket: Socket
  isOver: boolean
  text: string
}

async function open(port: number, from = '127.0.0.1', options = {}): Promise<Opened> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, ...options })
  sockets.push(socket)
  const opened: Opened = { socket, isOver: false, text: '' }
  socket.on('error', () => undefined)
  socket.on('data', (part: Buffer) => (opened.text += part.toString('latin1')))
  socket.on('close', () => (opened.isOver = true))
  await once(socket, 'connect', { signal: AbortSignal.timeout(DEADLINE_MS) })
  return opened
}

const portOf = (relay: RunningRelay, kind: RegExp): number => Number(kind.exec(relay.addresses.find((each) => kind.test(each)) ?? '')?.[1])
const tcpPort = (relay: RunningRelay): number => portOf(relay, /\/tcp\/(\d+)\/p2p/)
const wsPort = (relay: RunningRelay): number => portOf(relay, /\/tcp\/(\d+)\/ws/)
const httpPort = (relay: RunningRelay): number => Number(new URL(relay.url).port)

async function isServed(relay: RunningRelay): Promise<boolean> {
  const found = await probeRelay(relay.addresses.slice(0, 1), { withinMs: DEADLINE_MS })
  return found[0]?.error === undefined && (await fetch(`${relay.url}/healthz`)).ok
}

async function raw(relay: RunningRelay, text: string): Promise<string> {
  const opened = await open(httpPort(relay))
  opened.socket.write(text)
  await vi.waitFor(() => expect(opened.isOver || opened.text.includes('\r\n\r\n')).toBe(true), WITHIN)
  return opened.text.split('\r\n')[0] ?? ''
}

const GARBAGE = [
  Buffer.alloc(70_000, 0xff),
  Buffer.from('\x13/multistream/1.0.0\n\x07/noise\n'),
  Buffer.from('GET /\0 HTTP/1.1\r\n'.repeat(10)),
  // A raw connection with a ticket that nobody waits for.
  Buffer.concat([Buffer.from('SKEINBK1'), Buffer.alloc(16)]),
  Buffer.alloc(1),
]

describe('a relay under attack', { timeout: 180_000 }, () => {
  it('[RL21, RL35] takes garbage on every port for what it is, counts it, and says so', async () => {
    const relay = await relays.start(relays.newDir())
    for (const port of [tcpPort(relay), wsPort(relay), httpPort(relay)])
      for (const bytes of GARBAGE) {
        const { socket } = await open(port)
        socket.write(bytes)
      }
    expect(await isServed(relay)).toBe(true)
    for (const what of ['handshake failed', 'bulk failed', 'websocket failed', 'http malformed']) await isCounted(relay, what)
    expect(relay.child.exitCode).toBeNull()
  })

  it('[RL18, RL21] stops in order though others are silent or dribble, and counts none of those whom it ends itself', async () => {
    const relay = await relays.start(relays.newDir())
    const upgrade =
      'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
    const silent: [number, string][] = [tcpPort(relay), wsPort(relay), httpPort(relay)].map((port) => [port, ''])
    const begun: [number, string][] = [
      [tcpPort(relay), '\x13/multi'],
      [wsPort(relay), 'GET'],
      [wsPort(relay), upgrade],
      [httpPort(relay), 'GET'],
    ]
    for (const [port, text] of [...silent, ...begun]) (await open(port)).socket.write(text)
    await vi.waitFor(() => expect(sockets.filter(({ bytesRead }) => bytesRead > 0)).toHaveLength(1), WITHIN)
    expect(await isServed(relay)).toBe(true)
    const before = relay.log().split('"refused').length
    const gone = once(relay.child, 'close')
    relay.child.kill('SIGTERM')
    expect(await gone).toEqual([0, null])
    expect(relay.log()).toContain('"msg":"stopped"')
    expect(relay.log().split('"refused').length).toBe(before)
  })

  it('[RL21, RL35] refuses HTTP that could be read in two ways, or is too large, and counts it', async () => {
    const relay = await relays.start(relays.newDir())
    const head = 'Host: relay.example\r\n'
    const both = `POST / HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    const twice = `GET / HTTP/1.1\r\n${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`
    const folded = `GET / HTTP/1.1\r\n${head}X: a\r\n b\r\nTransfer-Encoding : chunked\r\n\r\n`
    const large = `GET / HTTP/1.1\r\n${head}X: ${'a'.repeat(70_000)}\r\n\r\n`
    for (const text of [both, twice, folded, 'GET / HTTP/1.1\r\n\r\n', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n'])
      expect(await raw(relay, text)).toMatch(/^HTTP\/1\.1 4\d\d/)
    expect(await raw(relay, large)).toMatch(/^HTTP\/1\.1 431/)
    expect(await raw(relay, `POST /relay.json HTTP/1.1\r\n${head}Content-Length: 100000\r\n\r\n`)).toMatch(/^HTTP\/1\.1 4\d\d/)
    await isCounted(relay, 'http malformed', 4)
    await isCounted(relay, 'http size')
    expect(await isServed(relay)).toBe(true)
  })

  it('[RL11, RL21] one address that floods is refused and counted; another is served', async () => {
    const dir = relays.newDir()
    writeFileSync(join(dir, 'settings.json'), '{"limits":{"connectionsPerAddress":10,"connectionBurstPerAddress":30}}')
    const relay = await relays.start(dir)
    const flood = Array.from({ length: 100 }, () => open(tcpPort(relay), '127.0.0.2'))
    await Promise.allSettled(flood)
    const refused = 'skein_relay_refused_connections_total{reason="address"}'
    await vi.waitFor(async () => expect(await metric(relay, refused)).toBeGreaterThan(50), WITHIN)
    expect(await isServed(relay)).toBe(true)
    const { result } = await relays.say(dir, 'status')
    expect(result['refused']).toMatchObject({ address: expect.any(Number) })
  })

  it.skipIf(process.platform !== 'linux')(
    '[RL21, RL36] short of file descriptors it serves who is there, says so, and serves all again',
    async () => {
      const relay = await relays.startBy(['prlimit', '--nofile=96', process.execPath], relays.newDir())
      const standing = await open(httpPort(relay))
      const many = await Promise.allSettled(Array.from({ length: 200 }, () => open(tcpPort(relay))))
      expect(many.length).toBe(200)
      const refused = 'skein_relay_refused_connections_total{reason="descriptors"}'
      await vi.waitFor(async () => expect(await metric(relay, refused)).toBeGreaterThan(50), WITHIN)
      expect(readdirSync(`/proc/${relay.child.pid}/fd`).length).toBeGreaterThan(80)
      await vi.waitFor(() => expect(relay.log()).toMatch(/"service":"connection","why":"descriptors"/), WITHIN)
      standing.socket.write('GET /healthz HTTP/1.1\r\nHost: relay.example\r\n\r\n')
      await vi.waitFor(() => expect(standing.text).toMatch(/^HTTP\/1\.1 200/), WITHIN)
      for (const socket of sockets.splice(0)) socket.destroy()
      await vi.waitFor(async () => expect(await isServed(relay)).toBe(true), { timeout: DEADLINE_MS, interval: 1_000 })
      expect(relay.child.exitCode).toBeNull()
    },
  )

  it('[RL21, RL33, RL34, RL35] floods on every port are refused where they are more than one address may have; another is served', async () => {
    const dir = relays.newDir()
    const limits = { connectionsPerAddress: 40, httpConnectionsPerAddress: 40, reflectorConnectionsPerAddress: 8 }
    writeFileSync(join(dir, 'settings.json'), JSON.stringify({ limits }))
    const relay = await relays.start(dir)
    const described = (await (await fetch(`${relay.url}/relay.json`)).json()) as { stun: string[]; reflector: string }
    const reflector = Number(described.reflector.split(':')[1])
    const counts = [
      [tcpPort(relay), 100, 'skein_relay_refused_connections_total{reason="address"}', 60],
      // At each port 40 may stay at most, of 400 in all.
      [wsPort(relay), 300, 'skein_relay_refused_connections_total{reason="address"}', 320],
      [httpPort(relay), 100, 'skein_relay_refusals_total{service="http",reason="connections"}', 60],
      [reflector, 60, 'skein_relay_refusals_total{service="reflector",reason="connections"}', 52],
    ] as const
    for (const [port, count, name, atLeast] of counts) {
      await Promise.allSettled(Array.from({ length: count }, () => open(port, '127.0.0.2', { allowHalfOpen: true })))
      await vi.waitFor(async () => expect(await metric(relay, name)).toBeGreaterThanOrEqual(atLeast), WITHIN)
    }
    const udp = [
      portOf(relay, /\/udp\/(\d+)\/webrtc-direct/),
      portOf(relay, /\/udp\/(\d+)\/quic/),
      Number(described.stun[0]?.split(':')[2]),
    ]
    await floodUdp(udp.filter((port) => port > 0))
    await vi.waitFor(async () => expect(await metric(relay, 'skein_relay_stun_refused')).toBeGreaterThan(100), WITHIN)
    await isCounted(relay, 'stun malformed', 100)
    const found = await probeRelay(relay.addresses, { withinMs: DEADLINE_MS })
    expect(found.filter(({ error }) => error !== undefined)).toEqual([])
    expect((await fetch(`${relay.url}/healthz`)).ok).toBe(true)
    await vi.waitFor(() => expect(relay.log()).toMatch(/"service":"reflector"/), WITHIN)
    expect(relay.child.exitCode).toBeNull()
  })
})

/** Garbage, and what begins like STUN, DTLS and QUIC. */
async function floodUdp(ports: readonly number[]): Promise<void> {
  const socket = createSocket('udp4')
  try {
    for (let round = 0; round < 300; round += 1)
      for (const port of ports)
        for (const head of [[0xff], [0, 1, 0, 0], [22, 254, 253], [0xc0, 0, 0, 0, 1, 8]]) {
          const bytes = Buffer.concat([Buffer.from(head), randomBytes(100)])
          await new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve))
        }
  } finally {
    socket.close()
  }
}
