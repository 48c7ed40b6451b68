/** The sender's side of files by the mesh (ME30): answers what recipients lack, by a route at full speed, else by carriers. */
import type { ContactBook } from '../contacts/index.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Swarm } from '../ports/swarm.ts'
import type { MailedWord } from '../wire/mailed-words.ts'
import { type Cargo, MAX_SLICE_BYTES } from '../wire/mesh-cargo.ts'
import { Carriage } from './carriage.ts'
import type { BoxFate, ChunkCarrier } from './chunk-carrier.ts'
import { chunkLength, indicesOf, planOf } from './chunk-plan.ts'
import { MAX_CARRIAGES, MESH_BYTES_PER_S, MESH_QUIET_MS } from './limits.ts'
import { listPlan } from './list-plan.ts'
import { laneOf, sealBox } from './mesh-boxes.ts'
import { Pace } from './pace.ts'
import type { SharedSource } from './shared-source.ts'
import type { Live, TransferBook } from './transfer-book.ts'

type Wish = Extract<MailedWord, { kind: 'wish' }>

export interface MeshSenderDeps {
  readonly carrier: ChunkCarrier
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly primitives: Primitives
  readonly book: ContactBook
  readonly swarm: Swarm
  readonly transfers: TransferBook
  /** Of the user. */
  readonly pace: Pace
  withSource<T>(live: Live, work: (source: SharedSource, isShared: () => boolean) => Promise<T>): Promise<T>
  /** It cannot be sent any more. */
  onBroken(live: Live, error: SkeinError): Promise<boolean>
}

export class MeshSender {
  private readonly deps: MeshSenderDeps
  private readonly carriages = new Set<Carriage>()
  private readonly pace: Pace
  private stopping: AbortSignal | undefined

  constructor(deps: MeshSenderDeps) {
    this.deps = deps
    this.pace = new Pace(deps.clock)
    this.pace.rate = MESH_BYTES_PER_S
  }

  start(signal: AbortSignal): void {
    this.stopping = signal
    signal.addEventListener('abort', () => this.wakeAll(), { once: true })
  }

  /** A recipient says what it lacks. @throws SkeinError BAD_FRAME */
  wish(live: Live, { device: key, part, missing }: Wish): void {
    const { book, swarm, carrier } = this.deps
    const device = deviceIdFromKey(key)
    const isTheirs = book.devicesOf(live.stored.contact).some((each) => each.device === device)
    const isConnected = swarm.paths().some((path) => path.device === device)
    if (!isTheirs || isConnected || live.manifest.stream === 'growing' || !this.isWanted(live)) return
    const indices = [...indicesOf(missing, part === 'content' ? planOf(live.manifest) : listPlan(live.manifest))]
    const carriage = this.carriageFor(live, device)
    if (carriage === undefined) return
    for (const { proof } of carriage.wish(part, indices)) carrier.withdrawChunk(proof)
    this.advance(carriage)
  }

  /** As BoxListener.onFate. */
  onFate(lock: string, fate: BoxFate): void {
    const carriage = [...this.carriages].find((each) => each.knows(lock))
    if (carriage === undefined) return
    if (fate === 'lost') carriage.lost(lock)
    else if (fate === 'held') carriage.held(lock)
    else this.onProven(carriage, lock)
    this.advance(carriage)
  }

  /** Somebody has come, or something may go on. */
  wakeAll(): void {
    for (const carriage of this.carriages) {
      carriage.wake()
      this.advance(carriage)
    }
  }

  /** Nothing of it is to be carried any more. */
  forget(live: Live): void {
    for (const carriage of [...this.carriages].filter((each) => each.live === live)) {
      this.carriages.delete(carriage)
      for (const { proof } of carriage.all()) this.deps.carrier.withdrawChunk(proof)
      carriage.wake()
    }
  }

  private onProven(carriage: Carriage, lock: string): void {
    const box = carriage.proven(lock, this.deps.clock.monotonic())
    const { stored, manifest } = carriage.live
    if (box === undefined || box.bytes === 0 || carriage.part === 'list') return
    const bytes = Math.min(manifest.size, stored.bytes + box.bytes)
    this.deps.transfers.progress(carriage.live, { moved: stored.moved, bytes })
  }

  private carriageFor(live: Live, device: DeviceId): Carriage | undefined {
    const known = [...this.carriages].find((each) => each.live === live && each.device === device)
    if (known !== undefined) return known
    if (this.carriages.size >= MAX_CARRIAGES) return undefined
    const made = new Carriage(live, device, laneOf(this.deps.primitives, live, device))
    this.carriages.add(made)
    return made
  }

  private isWanted({ stored: { state } }: Live): boolean {
    return this.stopping?.aborted === false && (state === 'waiting' || state === 'running')
  }

  /** Never throws. */
  private advance(carriage: Carriage): void {
    if (carriage.isRunning || !carriage.hasWork) return
    carriage.isRunning = true
    void this.run(carriage)
      .catch((error: unknown) => this.breakOff(carriage, error))
      .finally(() => (carriage.isRunning = false))
  }

  private async run(carriage: Carriage): Promise<void> {
    const { carrier, transfers } = this.deps
    const { live, device } = carriage
    // Nobody is asked for the file before somebody is there to take it.
    if (!carrier.isNear || !this.isAtWork(carriage)) return
    const isFast = carrier.hasRoute(device)
    if (isFast && live.stored.state === 'waiting') await transfers.change(live, { state: 'running', reason: null })
    await this.deps.withSource(live, async (source, isShared) => {
      do await this.pour(carriage, source, isShared)
      while (await this.settle(carriage))
    })
    if (live.stored.state === 'running' && !this.stopping?.aborted) await transfers.change(live, { state: 'waiting', reason: null })
    if (carriage.next !== undefined && this.isAtWork(carriage)) await this.smallOnce(carriage, 'probe', { kind: 'probe' })
  }

  private isAtWork(carriage: Carriage): boolean {
    return this.carriages.has(carriage) && this.isWanted(carriage.live)
  }

  /** As much as the mesh takes. */
  private async pour(carriage: Carriage, source: SharedSource, isShared: () => boolean): Promise<void> {
    for (let index = carriage.next; index !== undefined && this.isAtWork(carriage); index = carriage.next) {
      const { part } = carriage
      const sealed = await source.chunk(part, index, isShared())
      if (!(await this.sendChunk(carriage, { part, index, salt: source.salts[part] }, sealed))) return
      carriage.sent(index)
    }
    if (carriage.next !== undefined || carriage.part !== 'content' || !this.isAtWork(carriage)) return
    await this.smallOnce(carriage, 'end', { kind: 'end', salt: source.salts.content, root: await source.sealedRoot() })
  }

  private async sendChunk(
    carriage: Carriage,
    place: Pick<Extract<Cargo, { kind: 'slice' }>, 'part' | 'index' | 'salt'>,
    sealed: Uint8Array,
  ): Promise<boolean> {
    const { part, index } = place
    const plan = part === 'content' ? planOf(carriage.live.manifest) : listPlan(carriage.live.manifest)
    for (let offset = 0; offset < sealed.length; offset += MAX_SLICE_BYTES) {
      const bytes = sealed.subarray(offset, offset + MAX_SLICE_BYTES)
      if (!(await this.room(carriage, bytes.length))) return false
      const isLast = offset + bytes.length === sealed.length
      const counts = { of: index, bytes: isLast ? chunkLength(plan, index) : 0 }
      if (!(await this.put(carriage, counts, { kind: 'slice', ...place, offset, bytes }))) return false
    }
    return true
  }

  /** Waits until more may fly. */
  private async room(carriage: Carriage, bytes: number): Promise<boolean> {
    const { clock, pace } = this.deps
    while (carriage.isFull && this.isAtWork(carriage)) await clock.sleep(MESH_QUIET_MS, { signal: carriage.changed.signal })
    await this.pace.pass(bytes)
    await pace.pass(bytes)
    return this.isAtWork(carriage)
  }

  private async put(carriage: Carriage, { of, bytes }: { of: number | 'probe' | 'end'; bytes: number }, cargo: Cargo): Promise<boolean> {
    const { carrier, primitives, random, clock, transfers } = this.deps
    const { live, device, lane } = carriage
    const { sealed, content } = sealBox(primitives, lane, { cargo, random })
    const lock = carrier.carryChunk(device, { sealed, content, isSmall: typeof of === 'string' })
    if (lock === undefined) return false
    carriage.add(lock, { of, bytes, proof: carrier.proofOf(content), at: clock.monotonic(), isHeld: false })
    transfers.progress(live, { moved: live.stored.moved + sealed.length })
    return true
  }

  private async smallOnce(carriage: Carriage, of: 'probe' | 'end', cargo: Cargo): Promise<void> {
    if (!carriage.has(of)) await this.put(carriage, { of, bytes: 0 }, cargo)
  }

  /** Waits for what flies. @returns whether there is more to send, and a way */
  private async settle(carriage: Carriage): Promise<boolean> {
    const { clock, carrier } = this.deps
    const isIdle = (): boolean => carriage.next === undefined || !carrier.hasRoute(carriage.device)
    while (carriage.flying > 0 && isIdle() && this.isAtWork(carriage)) await clock.sleep(MESH_QUIET_MS, { signal: carriage.changed.signal })
    return !isIdle() && this.isAtWork(carriage)
  }

  private async breakOff({ live }: Carriage, error: unknown): Promise<void> {
    this.deps.logger.warn('file-not-carried', { reason: String(error) })
    const own = isSkeinError(error) ? error : new SkeinError('FILE_UNREADABLE', 'The file cannot be read.', { cause: error })
    this.forget(live)
    await this.deps.onBroken(live, own).catch(() => undefined)
  }
}
