/** For the crash test of sending and receiving: two messengers on real databases, one of which dies at its n-th step. */
import { createHash } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Channel, type DeviceId, loadIdentity, Messenger, type Primitives, type StoredMessage, type Swarm } from '@skein/core'
import { MemoryNetwork, RecordingLogger, VirtualClock } from '@skein/core/testing'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemRandom } from '../platform/system.ts'
import { openStore } from './better-sqlite3.ts'
import { storageKey } from './store-fixtures.ts'
import type { SqliteStore } from './sqlite-store.ts'

/** Virtual time between two looks at the network, milliseconds. */
const TICK_MS = 50
/** Turns of the event loop in a tick: a commit takes one, its answer the next. */
const TURNS = 3

/** Counts the steps of both nodes; the node that takes the last one is dead from then on: nothing of it happens any more. */
export class Fate {
  taken = 0
  /** Starting up is no part of it. */
  running = false
  dead: string | undefined
  private readonly last: number

  /** @param last number of the step at which whoever takes it dies */
  constructor(last: number) {
    this.last = last
  }

  async step(node: string): Promise<void> {
    if (this.running && this.dead === undefined && ++this.taken === this.last) this.dead = node
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
  readonly clock: VirtualClock
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

const digest = (...parts: readonly Uint8Array[]): string => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex')

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
  const [network, clock, witness] = [new MemoryNetwork(), new VirtualClock(), new Witness(dir)]
  const primitives = watchedPrimitives(witness)
  const start = async (name: string): Promise<Node> => {
    mkdirSync(join(dir, name), { recursive: true })
    const store = await openStore({ path: join(dir, name, 'skein.sqlite'), storageKey, clock })
    const ports = { store: watchedStore(store, name, fate), clock, random: systemRandom, primitives, logger: new RecordingLogger() }
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
      if (fate.dead !== undefined) network.kill((fate.dead === 'ana' ? ana : bo).messenger.identity.device)
    }
  }
  const close = async (): Promise<void> => {
    for (const { messenger, store } of [ana, bo]) {
      messenger.stop()
      await store.close()
    }
  }
  return { ana, bo, clock, run, close }
}

/** Makes the two contacts of each other. */
export async function acquaint(dir: string): Promise<void> {
  const { ana, bo, run, close } = await openWorld(dir, new Fate(Number.POSITIVE_INFINITY))
  const { invite } = await ana.messenger.invite()
  const adding = bo.messenger.add(invite)
  await run(2_000)
  await adding
  await close()
}

/** Says that the user was told that the message is queued. A dead node never comes to that. */
export function send(dir: string, from: Node, to: Node, text: string): void {
  const contact = from.messenger.book.find(to.messenger.identity.account)
  const queued = (message: StoredMessage): void => new Witness(dir).tell(`queued ${from.name} ${message.id}`)
  void from.messenger.send(contact, text).then(queued)
}

/** Both ways, with a first flight from each side, an answer, and turns of the ratchet. */
export async function talk(dir: string, fate: Fate): Promise<CrashWorld> {
  const world = await openWorld(dir, fate)
  const { ana, bo, run } = world
  fate.running = true
  for (const [from, to] of [[ana, bo], [bo, ana], [ana, bo]] as const) {
    send(dir, from, to, `${from.name} 1`)
    send(dir, from, to, `${from.name} 2`)
    await run(1_000)
  }
  return world
}
