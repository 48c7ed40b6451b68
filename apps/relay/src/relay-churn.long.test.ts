/** Members that come and go for minutes: a relay must be afterwards what it was before. SKEIN_CHURN_MINUTES, 10 unless told. */
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { probeRelay } from '@skein/node/swarm'
import { afterAll, expect, it } from 'vitest'
import { DEADLINE_MS, type RunningRelay, TestRelays } from './test-relay.ts'

const MINUTES = Number(process.env['SKEIN_CHURN_MINUTES'] ?? 10)
const MIB = 1_048_576
const AT_ONCE = 8
/** What the heap of a process grows by anyway while its code gets warm. */
const WARM_UP = 500
const relays = new TestRelays()

afterAll(() => relays.clear())

/** Looks into the relay over the debugger's protocol, which alone can have garbage collected. */
class Heap {
  readonly #socket: WebSocket
  #next = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
  }

  static async of(relay: RunningRelay): Promise<Heap> {
    const address = /Debugger listening on (ws:\S+)/.exec(relay.log())?.[1] ?? ''
    const socket = new WebSocket(address)
    await new Promise((resolve) => socket.addEventListener('open', resolve, { once: true }))
    const heap = new Heap(socket)
    await heap.#ask('HeapProfiler.enable')
    return heap
  }

  /** Bytes that are left when everything that can go has gone. */
  async used(): Promise<number> {
    for (let round = 0; round < 4; round += 1) await this.#ask('HeapProfiler.collectGarbage')
    const { result } = (await this.#ask('Runtime.evaluate', { expression: 'process.memoryUsage().heapUsed' })) as {
      result: { value: number }
    }
    return result.value
  }

  close(): void {
    this.#socket.close()
  }

  #ask(method: string, params = {}): Promise<unknown> {
    const id = (this.#next += 1)
    return new Promise((resolve) => {
      const onMessage = ({ data }: MessageEvent): void => {
        const answer = JSON.parse(String(data)) as { id?: number; result: unknown }
        if (answer.id !== id) return
        this.#socket.removeEventListener('message', onMessage)
        resolve(answer.result)
      }
      this.#socket.addEventListener('message', onMessage)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }
}

async function raw(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect').catch(() => undefined)
  socket.write(bytes)
  socket.resume()
  if (randomInt(2) === 0) socket.end()
  else socket.resetAndDestroy()
}

/** One that comes and goes, in one of the ways in which that happens. */
async function come(relay: RunningRelay): Promise<void> {
  const port = Number(/\/tcp\/(\d+)\/p2p/.exec(relay.addresses.join(' '))?.[1])
  const kind = randomInt(10)
  if (kind < 6) await probeRelay(relay.addresses.slice(0, 2), { withinMs: DEADLINE_MS })
  else if (kind < 7) await (await fetch(`${relay.url}/relay.json`)).text()
  else await raw(port, [randomBytes(100), Buffer.from('SKEINBK1'), Buffer.from('\x13/multistream/1.0.0\n')][kind - 7] ?? Buffer.alloc(0))
}

async function churn(relay: RunningRelay, isOver: (done: number) => boolean): Promise<number> {
  let done = 0
  const one = async (): Promise<void> => {
    for (; !isOver(done); done += 1) await come(relay)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return done
}

async function connections(relay: RunningRelay): Promise<number> {
  return Number(/^skein_relay_connections (\d+)$/m.exec(await (await fetch(`${relay.url}/metrics`)).text())?.[1])
}

it('[RL24] members that come and go leave nothing behind', { timeout: (MINUTES + 5) * 60_000 }, async () => {
  const relay = await relays.startBy([process.execPath, '--inspect=127.0.0.1:0'], relays.newDir())
  const heap = await Heap.of(relay)
  await churn(relay, (done) => done >= WARM_UP)
  const before = await heap.used()
  const until = performance.now() + MINUTES * 60_000
  const count = await churn(relay, () => performance.now() > until)
  await expect.poll(() => connections(relay), { timeout: DEADLINE_MS, interval: 500 }).toBe(0)
  // What is remembered of them for a while: nothing in sight says when it has been forgotten but the heap itself.
  await expect
    .poll(async () => ((await heap.used()) - before) / (count / 10_000) / MIB, { timeout: DEADLINE_MS, interval: 5_000 })
    .toBeLessThan(1)
  heap.close()
  expect(relay.child.exitCode).toBeNull()
})
