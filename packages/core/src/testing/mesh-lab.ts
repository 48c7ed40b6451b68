/** Mesh services over links in memory, on a virtual clock: whole nodes without messengers. */
import { hex } from '@scure/base'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  type ArchivedBundle,
  type BundleArchive,
  type BundleId,
  bundleId,
  bundleKey,
  type BundleKey,
  cureLock,
  type ErasureCode,
  FrameLink,
  type Link,
  MAX_CURES,
  MeshService,
  Pace,
  PacedLink,
  type StoredCure,
} from '../mesh/index.ts'
import { noblePrimitives } from '../e2ee/primitives.ts'
import { decodeNeighbourFrame, encodeBundle, encodeNeighbourFrame, type NeighbourFrameFields } from '../wire/mesh-bundle.ts'
import { encodeEnvelope } from '../wire/sealed.ts'
import { RecordingLogger } from './recording-logger.ts'
import { seededRandom } from './seeded-random.ts'
import { BLUETOOTH_LE, simulatedRadio } from './simulated-radio.ts'
import { settle, VirtualClock } from './virtual-clock.ts'

const primitives = { sha256: (bytes: Uint8Array): Uint8Array => sha256(bytes) }
const HOUR_MS = 3_600_000

/** What a store keeps of the mesh, as long as the process lives. */
export class MemoryArchive implements BundleArchive {
  readonly held = new Map<BundleKey, { bundle: ArchivedBundle; readonly bytes: Uint8Array }>()
  proofs: readonly StoredCure[] = []
  /** Transactions with proofs. */
  writes = 0

  async bundles(): Promise<readonly ArchivedBundle[]> {
    return [...this.held.values()].map(({ bundle }) => bundle)
  }
  async put(bundle: ArchivedBundle, bytes: Uint8Array): Promise<void> {
    if (!this.held.has(bundle.key)) this.held.set(bundle.key, { bundle, bytes })
  }
  async bytes(key: BundleKey): Promise<Uint8Array | null> {
    return this.held.get(key)?.bytes ?? null
  }
  async setCopies(key: BundleKey, copies: number): Promise<void> {
    const held = this.held.get(key)
    if (held !== undefined) held.bundle = { ...held.bundle, copies }
  }
  async remove(key: BundleKey): Promise<void> {
    this.held.delete(key)
  }
  async cures(): Promise<readonly StoredCure[]> {
    return this.proofs
  }
  async putCures(cures: readonly StoredCure[]): Promise<void> {
    this.writes += 1
    const all = new Map(this.proofs.map((each) => [hex.encode(each.key), each]))
    for (const { key, expiresAt } of cures) {
      const name = hex.encode(key)
      all.set(name, { key, expiresAt: Math.max(expiresAt, all.get(name)?.expiresAt ?? 0) })
    }
    this.proofs = [...all.values()].slice(-MAX_CURES)
  }
  async pruneCures(before: number): Promise<void> {
    this.proofs = this.proofs.filter(({ expiresAt }) => expiresAt >= before)
  }
}

class PipeEnd implements Link {
  readonly mtu = 65_536
  readonly bandwidth = 12_500_000
  readonly cost = 0
  readonly isReliable = true
  peer: PipeEnd | undefined
  private readonly inbox: Uint8Array[] = []
  private wake: () => void = () => undefined
  private closed = false

  async send(packet: Uint8Array): Promise<boolean> {
    if (packet.length > this.mtu) throw new RangeError('a packet is larger than the link allows')
    if (this.closed) return false
    this.peer?.inbox.push(packet.slice())
    this.peer?.wake()
    return true
  }

  async *packets(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const packet = this.inbox.shift()
      if (packet !== undefined) yield packet
      else if (this.closed) return
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }

  close(): void {
    for (const end of [this, this.peer]) {
      if (end === undefined) continue
      end.closed = true
      end.wake()
    }
  }
}

/** Both ends of a reliable link. */
export function memoryLink(): readonly [Link, Link] {
  const [a, b] = [new PipeEnd(), new PipeEnd()]
  a.peer = b
  b.peer = a
  return [a, b]
}

export interface LabNode {
  readonly name: string
  readonly service: MeshService
  readonly archive: MemoryArchive
  readonly logger: RecordingLogger
  /** Texts in order of arrival, once per opening. */
  readonly received: string[]
  /** Texts whose cure has come back. */
  readonly proven: string[]
  /** Texts of which a neighbour holds a copy. */
  readonly taken: string[]
  /** Texts whose bundles have expired. */
  readonly expired: string[]
  readonly offences: { readonly peer: string; readonly code: string }[]
}

export interface LabOptions {
  readonly seed?: number
  readonly capacityBytes?: number
  /** Whom everybody knows. */
  readonly contacts?: readonly string[]
  /** For pieces; without it everything goes whole. */
  readonly code?: () => Promise<ErasureCode>
}

export interface Intruder {
  readonly heard: NeighbourFrameFields[]
  /** Whether the victim has closed the link. */
  isShed: boolean
  say(frame: NeighbourFrameFields): void
  leave(): void
}

export class MeshLab {
  readonly clock = new VirtualClock(500_000 * HOUR_MS)
  /** Texts that nobody can open at present. */
  readonly unopened = new Set<string>()
  /** What whoever opens something waits for. */
  opening: Promise<unknown> | undefined
  private readonly random: ReturnType<typeof seededRandom>
  private readonly options: LabOptions
  private readonly nodes = new Map<string, LabNode>()
  private readonly links = new Map<string, Link>()
  private readonly texts = new Map<string, string>()

  constructor(options: LabOptions = {}) {
    this.options = options
    this.random = seededRandom(options.seed ?? 1)
  }

  /** With the archive of an earlier one it is that one restarted. */
  async start(name: string, archive = new MemoryArchive()): Promise<LabNode> {
    const said = {
      received: [] as string[],
      proven: [] as string[],
      taken: [] as string[],
      expired: [] as string[],
      offences: [] as LabNode['offences'][number][],
    }
    const textOf = (lock: string): string => this.texts.get(lock) ?? ''
    const logger = new RecordingLogger()
    const open = async (sealed: Uint8Array): Promise<Uint8Array> => {
      const text = new TextDecoder().decode(sealed.slice(-TEXT_BYTES)).trim()
      await this.opening
      if (this.unopened.has(text)) throw new Error('not now')
      said.received.push(text)
      return cureKeyOf(text)
    }
    const service = new MeshService({
      clock: this.clock,
      random: this.random,
      primitives,
      logger,
      archive,
      ...(this.options.code === undefined ? {} : { pieces: { primitives: noblePrimitives, code: this.options.code } }),
      ...(this.options.capacityBytes === undefined ? {} : { capacityBytes: this.options.capacityBytes }),
      tags: async () => [tagOf(name)],
      open,
      openChunk: open,
      onTaken: (lock) => said.taken.push(textOf(lock)),
      onProven: (lock) => said.proven.push(textOf(lock)),
      onExpired: (lock) => said.expired.push(textOf(lock)),
      onNear: () => undefined,
      isContact: (peer) => this.options.contacts?.includes(peer) ?? false,
      onOffence: (peer, code) => said.offences.push({ peer, code }),
    })
    await service.start()
    const node = { name, service, archive, logger, ...said }
    this.nodes.set(name, node)
    return node
  }

  node(name: string): LabNode {
    const found = this.nodes.get(name)
    if (found === undefined) throw new RangeError(`there is no node ${name}`)
    return found
  }

  /** @param bytesPerSecond of a slow link, each way */
  connect(a: string, b: string, bytesPerSecond?: number): void {
    const [left, right] = memoryLink()
    const slowed = (link: Link): Link =>
      bytesPerSecond === undefined ? link : new PacedLink(link, new Pace(bytesPerSecond, this.clock, link.mtu))
    this.links.set(key(a, b), left)
    void this.node(a).service.attach(b, slowed(left))
    void this.node(b).service.attach(a, slowed(right))
  }

  /** Two nodes in reach of each other's radio. */
  connectByRadio(a: string, b: string): void {
    const ends = simulatedRadio(BLUETOOTH_LE, { clock: this.clock, random: this.random })
    this.links.set(key(a, b), ends.a)
    void this.node(a).service.attach(b, ends.a)
    void this.node(b).service.attach(a, ends.b)
  }

  /** Somebody who keeps to no rules, linked to a node; it says what it wants and hears all. @param options `answers`: it takes nothing, and says why */
  intrude(name: string, victim: string, { answers }: { answers?: 'no-room' | 'late' } = {}): Intruder {
    const [mine, theirs] = memoryLink()
    const frames = new FrameLink(mine, this.clock)
    const say = (frame: NeighbourFrameFields): void => void frames.send(encodeNeighbourFrame(frame))
    const intruder: Intruder = { heard: [], isShed: false, say, leave: () => frames.close() }
    void (async () => {
      for await (const bytes of frames.frames()) {
        const frame = decodeNeighbourFrame(bytes)
        intruder.heard.push(frame)
        if (answers !== undefined && frame.kind === 'transfer') say(refusal(bundleId(frame.transfer.bundle, primitives), answers))
        if (answers !== undefined && frame.kind === 'offer') say(refusal(frame.offer.id as BundleId, answers))
      }
      intruder.isShed = true
    })()
    void this.node(victim).service.attach(name, theirs)
    return intruder
  }

  cut(a: string, b: string): void {
    this.links.get(key(a, b))?.close()
    this.links.delete(key(a, b))
  }

  /** Nodes named 0 to `count` - 1, each linked to the next. */
  async line(count: number): Promise<readonly LabNode[]> {
    const nodes: LabNode[] = []
    for (let at = 0; at < count; at += 1) nodes.push(await this.start(`${at}`))
    for (let at = 1; at < count; at += 1) this.connect(`${at - 1}`, `${at}`)
    await this.run(500)
    return nodes
  }

  /** @param bytes of the envelope, about; what stands before the text is noise */
  send(from: string, to: string, text: string, bytes = 0): boolean {
    const cureKey = cureKeyOf(text)
    this.texts.set(cureLock(cureKey, primitives), text)
    const noise = this.random.bytes(bytes)
    return this.node(from).service.carry({ envelope: envelopeFor(to, { text, now: this.clock.now(), noise }), cureKey })
  }

  /** Part of a file, left to whoever carries it. @param bytes 32 and more */
  sendChunk(from: string, to: string, text: string, bytes: number): void {
    const cureKey = cureKeyOf(text)
    this.texts.set(cureLock(cureKey, primitives), text)
    this.node(from).service.carryChunk({ deliveryTag: tagOf(to), sealed: noisy(text, this.random.bytes(bytes)), cureKey, isSmall: false })
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 50) {
      for (let turn = 0; turn < 3; turn += 1) await settle()
      await this.clock.advance(Math.min(50, left))
    }
    await settle()
  }

  /** What arrived at a node. */
  received(name: string): readonly string[] {
    return this.node(name).received
  }
}

function refusal(id: BundleId, outcome: 'no-room' | 'late'): NeighbourFrameFields {
  return { kind: 'answer', key: bundleKey(id), outcome }
}

const TEXT_BYTES = 32

export function tagOf(name: string): Uint8Array {
  return sha256(new TextEncoder().encode(`tag of ${name}`)).slice(0, 16)
}

/** The key that the recipient of a text finds. */
export function cureKeyOf(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(`cure of ${text}`)).slice(0, 16)
}

/** An envelope that anybody could read: only where it goes matters here. */
export function envelopeFor(to: string, { text, now, noise }: { text: string; now: number; noise?: Uint8Array }): Uint8Array {
  const sealed = noisy(text, noise ?? new Uint8Array())
  return encodeEnvelope({ deliveryTag: tagOf(to), expiryHour: Math.ceil(now / HOUR_MS) + 700, prekeyId: 1, sealed })
}

/** A text behind noise. */
export function noisy(text: string, noise: Uint8Array): Uint8Array {
  const words = new TextEncoder().encode(text.padEnd(TEXT_BYTES))
  const sealed = new Uint8Array(noise.length + words.length)
  sealed.set(noise)
  sealed.set(words, noise.length)
  return sealed
}

/** A piece as a bundle, whoever has made it. */
export function pieceBundle(to: string, { text, now, piece }: { text: string; now: number; piece: Uint8Array }): Uint8Array {
  const lock = sha256(cureKeyOf(text)).slice(0, 16)
  const expiryHour = Math.ceil(now / HOUR_MS) + 5
  return encodeBundle({ kind: 'piece', deliveryTag: tagOf(to), expiryHour, cureLock: lock, priority: 1, sealed: piece })
}

function key(a: string, b: string): string {
  return [a, b].sort().join()
}
