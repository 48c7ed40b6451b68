/** Clients that stay on without using it: silent ones, dribbling ones, and those that take nothing. Each test waits for a deadline. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { probeRelay } from '@skein/node/swarm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEADLINE_MS, isCounted, type RunningRelay, TestRelays } from './test-relay.ts'

const WITHIN = { timeout: DEADLINE_MS, interval: 100 }
const MIB = 1_048_576
const relays = new TestRelays()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await relays.clear()
})

interface Opened {
  readonly socket: Socket
  isOver: boolean
}

async function open(port: number): Promise<Opened> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  const opened: Opened = { socket, isOver: false }
  socket.on('error', () => undefined)
  socket.on('close', () => (opened.isOver = true))
  socket.resume()
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

describe('clients that only stay', { timeout: 240_000 }, () => {
  it('[RL21, RL35] ends connections that stay silent or dribble, on every port, counts them, and serves others meanwhile', async () => {
    const relay = await relays.start(relays.newDir())
    const ports = [tcpPort(relay), wsPort(relay), httpPort(relay)]
    const silent = await Promise.all(ports.flatMap((port) => Array.from({ length: 20 }, () => open(port))))
    const dribbling = await Promise.all(ports.map((port) => open(port)))
    const drop = setInterval(() => dribbling.forEach(({ socket, isOver }) => void (isOver || socket.write('G'))), 500)
    expect(await isServed(relay)).toBe(true)
    await vi.waitFor(() => expect([...silent, ...dribbling].filter(({ isOver }) => !isOver)).toEqual([]), WITHIN)
    clearInterval(drop)
    for (const service of ['handshake', 'websocket', 'http']) await isCounted(relay, `${service} timeout`, 20)
    expect(await isServed(relay)).toBe(true)
  })

  it.skipIf(process.platform !== 'linux')('[RL24] does not grow by clients that ask and take nothing, and serves others', async () => {
    const relay = await relays.start(relays.newDir())
    const port = Number(new URL(relay.url).port)
    const rss = (): number => Number(readFileSync(`/proc/${relay.child.pid}/statm`, 'utf8').split(' ')[1]) * 4_096
    const descriptors = (): number => readdirSync(`/proc/${relay.child.pid}/fd`).length
    // As much as all of them together may ask for, taken: what comes on top of it afterwards is what lies there for them.
    for (let n = 0; n < 2_000; n += 1) await (await fetch(`${relay.url}/metrics`)).arrayBuffer()
    const [before, first] = [rss(), descriptors()]
    const asked = Buffer.from('GET /metrics HTTP/1.1\r\nHost: relay.example\r\n\r\n'.repeat(2_000))
    for (let n = 0; n < 20; n += 1) {
      const socket = connect(port, '127.0.0.1')
      sockets.push(socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(asked)
    }
    expect(await isServed(relay)).toBe(true)
    expect(rss() - before).toBeLessThan(100 * MIB)
    await vi.waitFor(() => expect(descriptors()).toBeLessThan(first + sockets.length / 2), WITHIN)
    await isCounted(relay, 'http unread', 10)
    expect(await isServed(relay)).toBe(true)
  })
})
