/** Those who come and say nothing, or a byte now and then, on every port that takes connections. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { probeRelay } from '@skein/node/swarm'
import { afterEach, expect, it, vi } from 'vitest'
import { DEADLINE_MS, isCounted, type RunningRelay, TestRelays } from './test-relay.ts'

/** What the specification promises (RL21), and time for a busy machine. */
const ENDED = { timeout: 150_000, interval: 500 }
const relays = new TestRelays()
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await relays.clear()
})

/** How each port's protocol begins: said a byte a second, it never comes to an end. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  tcp: '\x13/multistream/1.0.0\n\x07/noise\n',
  ws: `GET / HTTP/1.1\r\nHost: relay.example\r\nX-Long: ${'a'.repeat(500)}`,
  http: `GET /healthz HTTP/1.1\r\nHost: relay.example\r\nX-Long: ${'a'.repeat(500)}`,
  reflector: 'a'.repeat(500),
}

async function ports(relay: RunningRelay): Promise<Record<string, number>> {
  const described = (await (await fetch(`${relay.url}/relay.json`)).json()) as { reflector: string }
  const portOf = (kind: RegExp): number => Number(kind.exec(relay.addresses.find((each) => kind.test(each)) ?? '')?.[1])
  return {
    tcp: portOf(/\/tcp\/(\d+)\/p2p/),
    ws: portOf(/\/tcp\/(\d+)\/ws/),
    http: Number(new URL(relay.url).port),
    reflector: Number(described.reflector.split(':')[1]),
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

function dribble(socket: Socket, text: string): void {
  let at = 0
  const saying = setInterval(() => void socket.write(text[at++] ?? 'a'), 1_000)
  socket.once('close', () => clearInterval(saying))
}

it('[RL21, RL35] silence and dribble end by themselves on every port, are counted, and others are served meanwhile', {
  timeout: 300_000,
}, async () => {
  const relay = await relays.start(relays.newDir())
  const opened: { readonly name: string; readonly socket: Socket }[] = []
  for (const [name, port] of Object.entries(await ports(relay)))
    for (let count = 0; count < 20; count += 1) {
      const socket = await open(port)
      // A reset is as good as an end; what is sent here is never read.
      socket.resume()
      if (count % 2 === 0) dribble(socket, BEGINNINGS[name] ?? '')
      opened.push({ name, socket })
    }
  const found = await probeRelay(relay.addresses.slice(0, 2), { withinMs: DEADLINE_MS })
  expect(found.filter(({ error }) => error !== undefined)).toEqual([])
  const standing = (): string[] => opened.filter(({ socket }) => !socket.readableEnded && !socket.closed).map(({ name }) => name)
  await vi.waitFor(() => expect(standing()).toEqual([]), ENDED)
  const half = ['handshake timeout', 'handshake failed']
  for (const what of half) await isCounted(relay, what, 10)
  for (const service of ['websocket', 'http', 'reflector']) await isCounted(relay, `${service} timeout`, 20)
  expect((await fetch(`${relay.url}/healthz`)).ok).toBe(true)
})
