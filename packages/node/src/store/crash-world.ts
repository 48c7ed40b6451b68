/** For the crash test of sending and receiving: two messengers on real databases, one of which dies at its n-th step. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type Channel,
  type Clock,
  type DeviceId,
  type Directory,
  loadIdentity,
  type Logger,
  Messenger,
  type Primitives,
  type StoredMessage,
  type Swarm,
} from '@skein/core'
import { nativeCompression } from '../platform/compression.ts'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemRandom } from '../platform/system.ts'
import { openStore } from './better-sqlite3.ts'
import { storageKey } from './store-fixtures.ts'
import type { SqliteStore } from './sqlite-store.ts'

/** Virtual time between two looks at the network, milliseconds. */
const TICK_MS = 100
/** Turns of the event loop in a tick: a commit takes one, its answer the next. */
const TURNS = 6
/** Turns before a commit begins to be durable. */
const DISK_TURNS = 3

interface PumpedNetwork {
  readonly directory: Directory
  join(device: DeviceId): Swarm
  kill(device: DeviceId): void
  pump(): boolean
}

/** What is used of core's test kit, which only tests may import. */
export interface TestKit {
  readonly MemoryNetwork: new () => PumpedNetwork
  readonly VirtualClock: new () => Clock & { advance(ms: number): Promise<void> }
  readonly RecordingLogger: new () => Logger
}

/** Counts the steps of both nodes; the node that takes the last one is dead from then on: nothing of it happens any more. */
export class Fate {
  readonly kit: TestKit
  taken = 0
  /** Starting up is no part of it. */
  running = false
  dead: string | undefined
  private readonly last: number

  /** @param last number of the step at which whoever takes it dies */
  constructor(kit: TestKit, last: number) {
    this.kit = kit
    this.last = last
  }

  async step(node: string): Promise<void> {
    if (this.running && this.dead === undefined && ++this.taken === this.last) this.dead = node
    await this.survive(node)
  }

  async survive(node: string): Promise<void> {
    if (this.dead === node) await new Promise(() => undefined)
  }
}

interface Node {
  readonly name: string
  readonly messenger: Messenger
  readonly store: SqliteStore
}

export interface CrashWorld {
  readonly ana: Node
  readonly bo: Node
  run(ms: number): Promise<void>
  close(): Promise<void>
}

/** What is known to have happened, written before it could have any effect: it outlives the process. */
export class Witness {
  private readonly file: string

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true })
    this.file = join(dir, 'witness')
  }

  tell(what: string): void {
    appendFileSync(this.file, `${what}\n`)
  }

  /** Everything of one kind. */
  told(kind: string): string[] {
    const lines = existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n') : []
    return lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1))
  }
}

const digest = (...parts: readonly Uint8Array[]): string =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

function watchedPrimitives(witness: Witness): Primitives {
  return {
    ...nativePrimitives,
    aeadSeal: (key, nonce, plaintext, associated) => {
      witness.tell(`key ${digest(key, nonce)}`)
      return nativePrimitives.aeadSeal(key, nonce, plaintext, associated)
    },
  }
}

function watchedStore(store: SqliteStore, name: string, fate: Fate): SqliteStore {
  const commit: SqliteStore['commit'] = async (writes) => {
    await fate.step(name)
    // A disk takes its time: what does not wait for it is done before.
    for (let turn = 0; turn < DISK_TURNS; turn += 1) await nextTurn()
    await fate.survive(name)
    const outcomes = await store.commit(writes)
    await fate.step(name)
    return outcomes
  }
  return new Proxy(store, {
    get: (target, key) => {
      if (key === 'commit') return commit
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function watchedChannel(channel: Channel, name: string, fate: Fate): Channel {
  return {
    peer: channel.peer,
    close: () => channel.close(),
    send: async (frame) => {
      await fate.step(name)
      const sent = await channel.send(frame)
      await fate.step(name)
      return sent
    },
    frames: async function* () {
      for await (const frame of channel.frames()) {
        await fate.step(name)
        yield frame
      }
    },
  }
}

/** Only messages are watched: who is there and who is who has steps of its own. */
function watchedSwarm(swarm: Swarm, name: string, fate: Fate): Swarm {
  const isWatched = (protocol: string): boolean => protocol === '/skein/deliver/1'
  return new Proxy(swarm, {
    get: (target, key) => {
      if (key === 'open')
        return async (device: DeviceId, protocol: Parameters<Swarm['open']>[1]) => {
          const opened = await target.open(device, protocol)
          return opened.kind === 'open' && isWatched(protocol) ? { ...opened, channel: watchedChannel(opened.channel, name, fate) } : opened
        }
      if (key === 'handle')
        return (protocol: Parameters<Swarm['handle']>[0], serve: (channel: Channel) => Promise<void>) =>
          target.handle(protocol, isWatched(protocol) ? (channel) => serve(watchedChannel(channel, name, fate)) : serve)
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

export async function openWorld(dir: string, fate: Fate): Promise<CrashWorld> {
  const { MemoryNetwork, VirtualClock, RecordingLogger } = fate.kit
  const [network, clock, witness] = [new MemoryNetwork(), new VirtualClock(), new Witness(dir)]
  const primitives = watchedPrimitives(witness)
  const start = async (name: string): Promise<Node> => {
    mkdirSync(join(dir, name), { recursive: true })
    const store = await openStore({ path: join(dir, name, 'skein.sqlite'), storageKey, clock })
    const ports = {
      store: watchedStore(store, name, fate),
      clock,
      random: systemRandom,
      primitives,
      compression: nativeCompression,
      logger: new RecordingLogger(),
    }
    const identity = await loadIdentity({ ...ports, store })
    const swarm = watchedSwarm(network.join(identity.device), name, fate)
    const options = { name, relays: ['http://relay.test'], visibility: 'nobody' } as const
    const messenger = new Messenger({ ...ports, swarm, directory: network.directory }, identity, options)
    messenger.listen((event) => {
      if (event.kind === 'message' && event.message.direction === 'in') witness.tell(`shown ${name} ${event.message.id}`)
    })
    await messenger.start()
    return { name, messenger, store }
  }
  const [ana, bo] = [await start('ana'), await start('bo')]
  const run = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= TICK_MS) {
      for (let turn = 0; turn < TURNS; turn += 1) {
        network.pump()
        await nextTurn()
      }
      await clock.advance(TICK_MS)
      // What has left arrives, although its sender is dead by then.
      for (let hop = 0; hop < TURNS && network.pump(); hop += 1) await nextTurn()
      if (fate.dead !== undefined) network.kill((fate.dead === 'ana' ? ana : bo).messenger.identity.device)
    }
  }
  const close = async (): Promise<void> => {
    for (const { messenger, store } of [ana, bo]) {
      messenger.stop()
      await store.close()
    }
  }
  return { ana, bo, run, close }
}

/** Makes the two contacts of each other. */
export async function acquaint(dir: string, kit: TestKit): Promise<void> {
  const { ana, bo, run, close } = await openWorld(dir, new Fate(kit, Number.POSITIVE_INFINITY))
  const { invite } = await ana.messenger.invite()
  const adding = bo.messenger.add(invite)
  await run(2_000)
  await adding
  await close()
}

/** Says that the user was told that the message is queued. A dead node never comes to that. */
export function send(dir: string, { from, to, text }: { readonly from: Node; readonly to: Node; readonly text: string }): void {
  const contact = from.messenger.book.find(to.messenger.identity.account)
  const queued = (message: StoredMessage): void => new Witness(dir).tell(`queued ${from.name} ${message.id}`)
  void from.messenger.send(contact, text).then(queued)
}

/** Both ways, with a first flight, an answer and a turn of the ratchet; queued at once, and one after the other. */
export async function talk(dir: string, fate: Fate): Promise<CrashWorld> {
  const world = await openWorld(dir, fate)
  const { ana, bo, run } = world
  fate.running = true
  for (const { from, to, between } of [
    { from: ana, to: bo, between: 0 },
    { from: bo, to: ana, between: 300 },
    { from: ana, to: bo, between: 300 },
  ]) {
    send(dir, { from, to, text: `${from.name} 1` })
    await run(between)
    send(dir, { from, to, text: `${from.name} 2` })
    await run(700)
  }
  return world
}
