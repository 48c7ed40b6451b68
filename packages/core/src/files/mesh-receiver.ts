/** The recipient's side of files by the mesh (ME29): says what is missing, takes what comes. */
import { deviceKey, type MessageId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Store } from '../ports/store.ts'
import type { Swarm } from '../ports/swarm.ts'
import { sameBytes } from '../wire/codec.ts'
import type { FilePart } from '../wire/files.ts'
import type { MailedWord } from '../wire/mailed-words.ts'
import { type ChunkPlan, planOf, presentBytes } from './chunk-plan.ts'
import type { ChunkCarrier } from './chunk-carrier.ts'
import type { ContentSink, FilePlatform } from './file-ports.ts'
import { isOffered, requireOffered } from './from-mail.ts'
import { ASK_MESH_MS, MAX_KEPT_LISTS, MAX_WISHED_RUNS, MESH_ANSWER_MS, MESH_QUIET_MS, MESH_TAKEN_UP_MS } from './limits.ts'
import { listPlan } from './list-plan.ts'
import { ListSink } from './list-sink.ts'
import { isMailable } from './mailed-pieces.ts'
import { type Lane, laneOf, openBox, readBox } from './mesh-boxes.ts'
import { MeshInbox } from './mesh-inbox.ts'
import type { Live, TransferBook } from './transfer-book.ts'

export interface MeshReceiverDeps {
  readonly carrier: ChunkCarrier
  readonly clock: Clock
  readonly primitives: Primitives
  readonly platform: Pick<FilePlatform, 'keepList' | 'keptList'>
  readonly sinks: Pick<FilePlatform, 'openSink'>
  readonly store: Pick<Store, 'outboxOf'>
  readonly swarm: Swarm
  readonly transfers: TransferBook
  /** Tells the sender something by whatever carrier. @returns the message that holds it; nothing when there is none */
  say(live: Live, word: MailedWord): Promise<MessageId | undefined>
  /** Something has come for a transfer that is not being looked after. */
  onCargo(live: Live): void
  /** Everything is there. @param root as the sender says */
  complete(live: Live, whole: { readonly sink: ContentSink; readonly root: Uint8Array }): Promise<void>
}

interface Asked {
  readonly part: FilePart
  readonly missing: number
  /** Monotonic ms. */
  readonly at: number
  readonly wait: number
  readonly message: MessageId | undefined
}

interface Part {
  readonly part: FilePart
  readonly plan: ChunkPlan
  readonly sink: Pick<ContentSink, 'present' | 'write'>
  readonly signal: AbortSignal
}

export class MeshReceiver {
  private readonly deps: MeshReceiverDeps
  private readonly lanes = new WeakMap<Live, Lane>()
  private readonly asked = new WeakMap<Live, Asked>()
  /** Whole; the content may come much later. */
  private readonly lists = new Map<Live, Uint8Array>()
  private readonly inboxes = new Map<Live, MeshInbox>()
  /** What waits until a transfer is looked after. */
  private readonly expected = new Map<Live, Set<AbortController>>()

  constructor(deps: MeshReceiverDeps) {
    this.deps = deps
  }

  /** Whether something has come for it by the mesh while its sender cannot be reached otherwise. */
  isExpecting(live: Live): boolean {
    return this.expected.has(live) && !this.isConnected(live)
  }

  /** As BoxListener.open. */
  async open(sealed: Uint8Array): Promise<Uint8Array | undefined> {
    const box = readBox(sealed)
    const live = box === undefined ? undefined : this.wanted().find((each) => sameBytes(this.lane(each).name, box.name))
    const opened = box === undefined || live === undefined ? undefined : openBox(this.deps.primitives, this.lane(live), box)
    if (live === undefined || opened === undefined) return undefined
    const { cargo, content } = opened
    const taken = cargo.kind === 'probe' || ((await (await this.inboxOf(live))?.take(cargo)) ?? false)
    return taken ? this.deps.carrier.proofOf(content) : undefined
  }

  /**
   * Takes what comes, as long as something comes and `signal` stands, and asks for what is missing.
   * @throws what the sink throws; SkeinError FILE_DAMAGED, FILE_CHANGED
   */
  async fetch(live: Live, signal: AbortSignal): Promise<void> {
    const { carrier, sinks } = this.deps
    const { manifest, stored } = live
    // How much comes of a stream is told by its end, or by who is connected.
    if (manifest.stream === 'growing') return
    if (this.isConnected(live) || !(carrier.isNear || this.expected.has(live)) || !(this.expected.has(live) || this.isDue(live))) return
    const list = await this.listOf(live, signal)
    if (list === null) return
    const sink = await sinks.openSink({ id: stored.id, manifest, list, folder: stored.place })
    try {
      const root = await this.fetchPart(live, { part: 'content', plan: planOf(manifest), sink, signal })
      if (root === undefined) return
      await this.deps.complete(live, { sink, root })
      this.lists.delete(live)
    } finally {
      await sink.close()
    }
  }

  /** `undefined` for a file; `null` when not all of it has come. @throws SkeinError FILE_DAMAGED */
  private async listOf(live: Live, signal: AbortSignal): Promise<Uint8Array | undefined | null> {
    const { folder } = live.manifest
    const known = this.lists.get(live)
    if (folder === undefined || known !== undefined) return known
    const { primitives, platform } = this.deps
    const kept = await platform.keptList?.(live.stored.id)
    if (kept !== undefined && isOffered(primitives, folder, kept)) return this.hold(live, kept)
    const plan = listPlan(live.manifest)
    const sink = new ListSink(primitives, plan)
    if ((await this.fetchPart(live, { part: 'list', plan, sink, signal })) === undefined) return null
    requireOffered(primitives, folder, sink.bytes)
    await platform.keepList?.(live.stored.id, sink.bytes)
    return this.hold(live, sink.bytes)
  }

  private hold(live: Live, list: Uint8Array): Uint8Array {
    this.lists.set(live, list)
    const [first] = this.lists.keys()
    if (this.lists.size > MAX_KEPT_LISTS && first !== undefined) this.lists.delete(first)
    return list
  }

  private wanted(): Live[] {
    const open = this.deps.transfers.all().filter(({ stored }) => stored.direction === 'in')
    return open.filter(({ stored: { state } }) => state === 'waiting' || state === 'running')
  }

  private lane(live: Live): Lane {
    const lane = this.lanes.get(live) ?? laneOf(this.deps.primitives, live, this.deps.swarm.self)
    this.lanes.set(live, lane)
    return lane
  }

  private isConnected({ stored }: Live): boolean {
    return this.deps.swarm.paths().some(({ device }) => device === stored.device)
  }

  private async inboxOf(live: Live): Promise<MeshInbox | undefined> {
    if (!this.inboxes.has(live)) {
      const there = new AbortController()
      this.expected.set(live, (this.expected.get(live) ?? new Set()).add(there))
      this.deps.onCargo(live)
      await this.deps.clock.sleep(MESH_TAKEN_UP_MS, { signal: there.signal })
      const waiting = this.expected.get(live)
      if (waiting?.delete(there) && waiting.size === 0) this.expected.delete(live)
    }
    return this.inboxes.get(live)
  }

  /** @returns the root of a content, nothing of a list; `undefined` when not all has come */
  private async fetchPart(live: Live, { part, plan, sink, signal }: Part): Promise<Uint8Array | undefined> {
    let changed = new AbortController()
    const { present } = sink
    const onChange = (): void => changed.abort()
    const onChunk = (sealed: number): void => {
      const bytes = part === 'content' ? { bytes: presentBytes(plan, present) } : {}
      this.deps.transfers.progress(live, { moved: live.stored.moved + sealed, ...bytes })
    }
    const inbox = new MeshInbox({ ...this.deps, key: live.manifest.key, part, plan, sink, onChange, onChunk })
    signal.addEventListener('abort', onChange)
    this.inboxes.set(live, inbox)
    for (const waiting of this.expected.get(live) ?? []) waiting.abort()
    try {
      await this.ask(live, { part, sink })
      for (let patience: number = MESH_ANSWER_MS; !inbox.isComplete; patience = MESH_QUIET_MS) {
        if (inbox.failure !== undefined) throw inbox.failure
        if (signal.aborted || this.isConnected(live)) return undefined
        await this.deps.clock.sleep(patience, { signal: changed.signal })
        if (!changed.signal.aborted) return undefined
        if (live.stored.state === 'waiting') await this.deps.transfers.change(live, { state: 'running', reason: null })
        changed = new AbortController()
      }
      return inbox.root ?? new Uint8Array()
    } finally {
      signal.removeEventListener('abort', onChange)
      this.inboxes.delete(live)
    }
  }

  private isDue(live: Live): boolean {
    const asked = this.asked.get(live)
    if (asked !== undefined) return this.deps.clock.monotonic() >= asked.at + asked.wait
    // Such files may be on their way as pieces of mail, by the mesh too.
    if (!isMailable(live.manifest)) return true
    this.remember(live, { part: 'content', missing: -1, message: undefined, wait: ASK_MESH_MS.first })
    return false
  }

  private remember(live: Live, asked: Omit<Asked, 'at'>): void {
    this.asked.set(live, { ...asked, at: this.deps.clock.monotonic() })
  }

  /** Once, until that has arrived and something has come of it, or time has passed. */
  private async ask(live: Live, { part, sink }: Pick<Part, 'part' | 'sink'>): Promise<void> {
    const { store, say, swarm, carrier } = this.deps
    const before = this.asked.get(live)
    const missing = sink.present.count - sink.present.size
    const isNew = before?.part !== part || before.missing < 0
    if (!carrier.isNear || !(isNew || this.isDue(live))) return
    if (!isNew && before.message !== undefined && (await store.outboxOf(before.message)).length > 0) return
    const wait = isNew || before.missing > missing ? ASK_MESH_MS.first : Math.min(before.wait * 2, ASK_MESH_MS.most)
    this.remember(live, { part, missing, wait, message: undefined })
    const word = { kind: 'wish', device: deviceKey(swarm.self), part, missing: sink.present.missing(MAX_WISHED_RUNS) } as const
    this.remember(live, { part, missing, wait, message: await say(live, word) })
  }
}
