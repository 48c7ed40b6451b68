/** Members that come and go for minutes: a relay must be afterwards what it was before. SKEIN_CHURN_MINUTES, 10 unless told. */
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { type Channel, encodeCardRequest } from '@skein/core'
import { type Libp2pSwarm, probeRelay, systemRandom, temporaryMember } from '@skein/node/swarm'
import { afterAll, expect, it, vi } from 'vitest'
import { createLogger } from './log.ts'
import { DEADLINE_MS, type RunningRelay, TestRelays } from './test-relay.ts'

const MINUTES = Number(process.env['SKEIN_CHURN_MINUTES'] ?? 10)
const MIB = 1_048_576
const AT_ONCE = 8
const WITHIN = { timeout: DEADLINE_MS, interval: 20 }
/** What the heap of a process grows by anyway while its code gets warm. */
const WARM_UP = 500
const relays = new TestRelays()
const ECHO = '/skein/churn/1'

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

/** With a place at the relay. */
async function member(relay: RunningRelay): Promise<Libp2pSwarm> {
  const swarm = temporaryMember(relay.url, createLogger({ debug: false, debugIdentities: false }))
  await swarm.start()
  await vi.waitFor(() => expect(swarm.relays()[0]?.reserved).toBe(true), WITHIN)
  return swarm
}

async function firstFrame(channel: Channel): Promise<void> {
  for await (const _ of channel.frames()) return
}

/** Two members that reach each other over the relay alone, one that asks for a card, and all are gone in the middle of it or after it. */
async function meet(relay: RunningRelay): Promise<void> {
  const [caller, called] = await Promise.all([member(relay), member(relay)])
  try {
    called.handle(ECHO, async (channel) => {
      for await (const frame of channel.frames()) await channel.send(frame)
    })
    const opened = await caller.open(called.self, ECHO)
    if (opened.kind === 'absent') throw new Error(`no circuit: ${opened.reason}`)
    await opened.channel.send(randomBytes(randomInt(1, 10_000)))
    if (randomInt(2) === 0) await firstFrame(opened.channel)
    const asked = await caller.openRelay(relay.url, '/skein/card/1')
    if (asked.kind === 'open') await asked.channel.send(encodeCardRequest({ kind: 'get', key: systemRandom.bytes(32) }))
  } finally {
    await Promise.all([caller.stop(), called.stop()])
  }
}

const anyOf = (addresses: readonly string[]): string => addresses[randomInt(addresses.length)] ?? ''

/** One that comes and goes, in one of the ways in which that happens, over each of the relay's transports. */
async function come(relay: RunningRelay): Promise<void> {
  const port = Number(/\/tcp\/(\d+)\/p2p/.exec(relay.addresses.join(' '))?.[1])
  const kind = randomInt(10)
  if (kind < 1) await meet(relay)
  else if (kind < 6) await probeRelay([anyOf(relay.addresses)], { withinMs: DEADLINE_MS })
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

/** What there is of members now. */
async function present(relay: RunningRelay): Promise<Record<string, number>> {
  return figures(relay, 'connections', 'reservations', 'circuits')
}

async function figures(relay: RunningRelay, ...names: readonly string[]): Promise<Record<string, number>> {
  const text = await (await fetch(`${relay.url}/metrics`)).text()
  const figure = (name: string): number => Number(new RegExp(`^skein_relay_${name} (\\d+)$`, 'm').exec(text)?.[1])
  return Object.fromEntries(names.map((name) => [name, figure(name)]))
}

async function untilNobody(relay: RunningRelay): Promise<void> {
  await expect.poll(() => present(relay), { timeout: DEADLINE_MS, interval: 500 }).toEqual({ connections: 0, reservations: 0, circuits: 0 })
}

const descriptors = ({ child }: RunningRelay): number => (process.platform === 'linux' ? readdirSync(`/proc/${child.pid}/fd`).length : 0)

it('[RL24] members that come and go leave nothing behind', { timeout: (MINUTES + 5) * 60_000 }, async () => {
  const relay = await relays.startBy([process.execPath, '--inspect=127.0.0.1:0'], relays.newDir())
  const heap = await Heap.of(relay)
  await churn(relay, (done) => done >= WARM_UP)
  await untilNobody(relay)
  const [before, files] = [await heap.used(), descriptors(relay)]
  const until = performance.now() + MINUTES * 60_000
  const count = await churn(relay, () => performance.now() > until)
  await untilNobody(relay)
  expect((await figures(relay, 'circuits_total'))['circuits_total']).toBeGreaterThan(count / 100)
  // Those over which this test itself asks come and go.
  await expect.poll(() => descriptors(relay), { timeout: DEADLINE_MS, interval: 500 }).toBeLessThanOrEqual(files + AT_ONCE)
  // What is remembered of them for a while: nothing in sight says when it has been forgotten but the heap itself.
  let grown = Number.POSITIVE_INFINITY
  const look = async (): Promise<number> => (grown = ((await heap.used()) - before) / (count / 10_000) / MIB)
  await expect
    .poll(look, { timeout: DEADLINE_MS, interval: 5_000 })
    .toBeLessThan(1)
    .finally(() => process.stderr.write(`\n${count} came and went in ${MINUTES} min: ${grown.toFixed(2)} MiB of heap for 10,000\n`))
  heap.close()
  expect(relay.child.exitCode).toBeNull()
})
