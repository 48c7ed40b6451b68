/** For the tests of this directory: swarms and relays on loopback, made to order and cleared away together. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '@skein/core'
import { systemClock, systemRandom } from '../platform/system.ts'
import type { Libp2pSwarm, SwarmOptions } from './libp2p-swarm.ts'
import { createSwarm } from './nodejs.ts'
import { createRelayStack, type RelayStack, type RelayStackOptions } from './relay-stack.ts'
import type { RelayRules } from './circuit/index.ts'
import type { Stack } from './client-stack.ts'
import type { RecordJudge } from './stack-parts.ts'

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}

/** A relay whose URL stays while the relay itself comes and goes, with another port and another key if need be. */
export interface TestRelay {
  readonly url: string
  readonly stack: () => RelayStack
  stop(): Promise<void>
  /** @param seed of its key, one byte repeated */
  start(seed: number): Promise<void>
}

export class TestNetwork {
  private readonly undo: (() => Promise<unknown>)[] = []
  private seeds = 0

  /** A started swarm; anything may be set otherwise. */
  async swarm(options: Partial<SwarmOptions> = {}): Promise<Libp2pSwarm> {
    const seed = new Uint8Array(32)
    new DataView(seed.buffer).setUint32(0, ++this.seeds)
    const swarm = createSwarm({
      privateKeySeed: seed,
      relays: [],
      listen: { host: '127.0.0.1', port: 0 },
      logger: silentLogger,
      clock: systemClock,
      random: systemRandom,
      judge: { verify: () => true, isNewer: () => false },
      ...options,
    })
    this.undo.push(() => swarm.stop())
    await swarm.start()
    return swarm
  }

  /** Two swarms, each of which knows where the other is. */
  async pair(options: Partial<SwarmOptions> = {}): Promise<[Libp2pSwarm, Libp2pSwarm]> {
    const [a, b] = [await this.swarm(options), await this.swarm(options)]
    await acquaint(a, b)
    return [a, b]
  }

  async relay(seed = 101, judge?: RecordJudge, rules?: RelayRules): Promise<TestRelay> {
    let stack: RelayStack | undefined
    const server = createServer((_request, response) => {
      if (stack === undefined) return void response.writeHead(503).end()
      response.end(JSON.stringify({ version: 1, peer_id: stack.peerId, addresses: stack.addresses(), stun: [] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const stop = async (): Promise<void> => {
      const old = stack
      stack = undefined
      await old?.stop()
    }
    const start = async (byte: number): Promise<void> => {
      stack = await startRelay(byte, { judge, rules })
    }
    this.undo.push(stop, () => new Promise((resolve) => server.close(resolve)))
    await start(seed)
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const running = (): RelayStack => {
      if (stack === undefined) throw new Error('the relay is away')
      return stack
    }
    return { url, stack: running, stop, start }
  }

  async clear(): Promise<void> {
    await Promise.all(this.undo.splice(0).map((each) => each()))
  }
}

export async function acquaint(a: Libp2pSwarm, b: Libp2pSwarm): Promise<void> {
  await a.learn(b.self, directAddresses(b))
  await b.learn(a.self, directAddresses(a))
}

export function directAddresses(swarm: Libp2pSwarm): readonly string[] {
  return swarm.addresses().filter((each) => each.includes('/tcp/') && !each.includes('/p2p-circuit'))
}

/** The library beneath a started swarm, for what the port leaves no way to bring about. */
export function stackOf(swarm: Libp2pSwarm): Stack {
  return (swarm as unknown as { readonly running: { readonly stack: Stack } }).running.stack
}

function startRelay(byte: number, options: Pick<RelayStackOptions, 'judge' | 'rules'>): Promise<RelayStack> {
  const kept = new Map<string, Uint8Array>()
  const durable = {
    get: (key: string) => kept.get(key),
    put: (key: string, value: Uint8Array) => void kept.set(key, value),
    delete: (key: string) => void kept.delete(key),
  }
  const listen = { host: '127.0.0.1', tcp: 0, ws: 0, webrtc: 'off' } as const
  return createRelayStack({ privateKeySeed: new Uint8Array(32).fill(byte), listen, ...options, durable, logger: silentLogger })
}
