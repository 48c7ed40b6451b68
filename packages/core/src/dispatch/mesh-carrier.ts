/** The mesh as a carrier: seals rows into envelopes for it, takes in what it brings, and knows by the cures what has arrived. */
import { chooseCarriers, type CarrierView } from '../delivery/index.ts'
import { loadOnce } from '../devices/load-once.ts'
import { depositTag } from '../e2ee/index.ts'
import type { BoxListener, ChunkCarrier } from '../files/chunk-carrier.ts'
import { isSkeinError, SkeinError } from '../errors/index.ts'
import { inBackground } from '../in-background.ts'
import type { DeviceId, MessageId } from '../ids.ts'
import { MESH_CARRIER, mayOpenLater, receiveCarried, type MainPath, startAnew } from '../main-path/index.ts'
import {
  type BundleArchive,
  cureKeyOf,
  cureLock,
  type ErasureCode,
  type MeshAddress,
  meshAddress,
  MeshService,
  type MeshStatus,
} from '../mesh/index.ts'
import type { MessengerPorts } from '../messenger-ports.ts'
import { decodeHandover, type HandoverFields } from '../wire/handover.ts'
import type { OutboxRow } from '../ports/store.ts'

/** Bundles live three days: tags of so many days back are still in use, and a day for clocks that differ. */
const TAG_DAYS_BACK = 4
const DAY_MS = 86_400_000
/** Rows read at once. */
const PAGE = 256

/**
 * The mesh as a part of a messenger; not part of its code unless somebody asks for it, so that pages need not load it.
 * @param code for pieces; without it everything goes whole
 */
export function carryByMesh(archive: BundleArchive, code?: () => Promise<ErasureCode>): MeshFactory {
  return (deps) => new MeshCarrier({ ...deps, archive, ...(code === undefined ? {} : { code }) })
}

export type MeshFactory = (deps: Omit<MeshCarrierDeps, 'archive' | 'code'>) => MeshCarrier

export interface MeshCarrierDeps extends Pick<MessengerPorts, 'clock' | 'random' | 'primitives' | 'logger' | 'store' | 'swarm'> {
  readonly archive: BundleArchive
  /** Loads the code that pieces need. */
  code?(): Promise<ErasureCode>
  viewOf(row: OutboxRow): CarrierView
  /** Records that the devices of these rows have their messages. */
  onDelivered(rows: readonly OutboxRow[]): Promise<void>
  /** Records that a carrier holds a row. */
  onCarried(row: OutboxRow, carrier: string): Promise<void>
}

export class MeshCarrier implements ChunkCarrier {
  readonly service: MeshService
  private readonly deps: MeshCarrierDeps
  private readonly rows = new Map<string, OutboxRow>()
  private path: MainPath | undefined
  private chunks: BoxListener | undefined
  private isNewNear = false
  private isOffering = false

  constructor(deps: MeshCarrierDeps) {
    this.deps = deps
    const { code, primitives } = deps
    this.service = new MeshService({
      ...deps,
      ...(code === undefined ? {} : { pieces: { primitives, code: loadOnce(code) } }),
      tags: async () => (await this.path?.envelopes.tags(TAG_DAYS_BACK)) ?? [],
      open: (envelope) => this.open(envelope),
      openChunk: async (sealed) => this.chunks?.open(sealed),
      onChunk: (lock, fate) => this.chunks?.onFate(lock, fate),
      onTaken: (lock) => this.taken(lock),
      onProven: (lock) => this.proven(lock),
      onExpired: (lock) => void this.quietly(this.renew(lock)),
      offerAll: () => this.offerAll({ byHand: true }),
      onNear: () => {
        inBackground(deps.logger, 'not-offered-to-mesh', this.offerNew())
        this.chunks?.onNear()
      },
      isContact: (peer) => this.path?.book.isContact(peer as DeviceId) ?? false,
      onOffence: (peer, code) => deps.swarm.penalise(peer as DeviceId, code),
    })
  }

  async start(path: MainPath): Promise<void> {
    this.path = path
    for (const { device } of await this.deps.store.outboxDevices())
      for await (const row of this.rowsFor(device)) if (row.carriers.includes(MESH_CARRIER)) this.rows.set(this.lockOf(row), row)
    await this.service.start()
    // What the mesh's own file no longer holds goes to it again: it may be deleted at any time.
    for (const lock of [...this.rows.keys()]) if (!this.service.holds(lock)) this.rows.delete(lock)
  }

  stop(): void {
    this.service.stop()
  }

  status(): MeshStatus {
    return this.service.status()
  }

  /** Where bundles for a contact's device go today, and where those go that were made on the days before; none when no tag of it is known. */
  addressesOf(device: DeviceId): readonly MeshAddress[] {
    const handed = this.handedBy(device)
    if (handed === undefined) return []
    const days = Array.from({ length: TAG_DAYS_BACK + 1 }, (_, back) => this.deps.clock.now() - back * DAY_MS)
    const tags = days.map((day) => depositTag(handed, day)).filter((tag) => tag !== undefined)
    return [...new Set(tags.map((tag) => meshAddress(tag, this.deps.primitives)))]
  }

  listen(chunks: BoxListener): void {
    this.chunks = chunks
  }

  get isNear(): boolean {
    return this.service.isNear
  }

  /** Whether somebody is near who can be given this: there is room for one more, and something is known to seal it with and to name its recipient by. */
  takes(row: OutboxRow): boolean {
    if (!this.service.isNear || row.sealed.length === 0) return false
    if (this.rows.has(this.lockOf(row))) return true
    const bundle = this.path?.book.device(row.device)?.bundle
    return this.service.hasRoom && bundle !== undefined && bundle.length > 0 && this.tagOf(row.device) !== undefined
  }

  hasRoute(device: DeviceId): boolean {
    const tag = this.tagOf(device)
    return tag !== undefined && this.service.hasRoute(tag)
  }

  carryChunk(device: DeviceId, { sealed, content, isSmall }: Parameters<ChunkCarrier['carryChunk']>[1]): string | undefined {
    const deliveryTag = this.tagOf(device)
    if (deliveryTag === undefined) return undefined
    return this.service.carryChunk({ deliveryTag, sealed, cureKey: cureKeyOf(content, this.deps.primitives), isSmall })
  }

  withdrawChunk(proof: Uint8Array): void {
    this.service.withdraw(proof)
  }

  proofOf(content: Uint8Array): Uint8Array {
    return cureKeyOf(content, this.deps.primitives)
  }

  private tagOf(device: DeviceId): Uint8Array | undefined {
    const handed = this.handedBy(device)
    return handed === undefined ? undefined : depositTag(handed, this.deps.clock.now())
  }

  private handedBy(device: DeviceId): HandoverFields | undefined {
    const known = this.path?.book.device(device)
    return known === undefined ? undefined : decodeHandover(known.handover)
  }

  /** Hands the mesh what waits for a device that is away, as far as the plan wants it. */
  async offer(device: DeviceId): Promise<void> {
    if (this.service.isNear) await this.offerRows(device, { byHand: false })
  }

  private async offerRows(device: DeviceId, how: { readonly byHand: boolean }): Promise<void> {
    for await (const row of this.rowsFor(device)) {
      if (!this.service.hasRoom) return
      if (row.sealed.length > 0 && this.isWanted(row, how)) await this.carry(row)
    }
  }

  private isWanted(row: OutboxRow, { byHand }: { readonly byHand: boolean }): boolean {
    const view = this.deps.viewOf(row)
    // Marked, and yet not with us: it was lost, or could not be made anew.
    const carriers = view.carriers.filter((each) => each !== MESH_CARRIER || this.rows.has(this.lockOf(row)))
    const near = byHand ? ({ meshTakes: true, direct: view.direct === 'open' ? 'open' : 'away' } as const) : {}
    return chooseCarriers({ ...view, carriers, ...near }).mesh
  }

  /** All that waits for a device, page by page. */
  private async *rowsFor(device: DeviceId): AsyncGenerator<OutboxRow> {
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page: readonly OutboxRow[] = await this.deps.store.outbox(device, after, PAGE)
      yield* page
      after = page.length < PAGE ? undefined : page.at(-1)?.seq
    }
  }

  /** The device has this row by another way. */
  withdraw(row: OutboxRow): void {
    if (row.sealed.length === 0) return
    this.rows.delete(this.lockOf(row))
    this.service.withdraw(cureKeyOf(row.sealed, this.deps.primitives))
  }

  /** As `withdraw`, for a message whose row has gone. */
  withdrawMessage(message: MessageId, device: DeviceId): void {
    for (const row of this.rows.values()) if (row.message === message && row.device === device) this.withdraw(row)
  }

  /** One pass over all that waits at a time, and one more for those who come meanwhile. */
  private async offerNew(): Promise<void> {
    this.isNewNear = true
    if (this.isOffering) return
    this.isOffering = true
    try {
      while (this.isNewNear) {
        this.isNewNear = false
        await this.offerAll({ byHand: false })
      }
    } finally {
      this.isOffering = false
    }
  }

  private async offerAll(how: { readonly byHand: boolean }): Promise<void> {
    for (const { device } of await this.deps.store.outboxDevices()) await this.offerRows(device, how)
  }

  private async carry(row: OutboxRow): Promise<void> {
    const lock = this.lockOf(row)
    if (this.path === undefined || this.rows.has(lock)) return
    try {
      const envelope = await this.path.envelopes.seal(row.device, row.sealed, { until: row.expiresAt })
      this.rows.set(lock, row)
      if (!this.service.carry({ envelope, cureKey: cureKeyOf(row.sealed, this.deps.primitives) })) this.rows.delete(lock)
    } catch (error) {
      this.deps.logger.info('not-for-the-mesh', { code: isSkeinError(error) ? error.code : String(error) })
    }
  }

  private async open(envelope: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.path === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    try {
      const carried = await this.path.envelopes.open(envelope)
      await receiveCarried(this.path, carried)
      return cureKeyOf(carried.message, this.deps.primitives)
    } catch (error) {
      const code = isSkeinError(error) ? error.code : 'unknown'
      this.deps.logger.info('mesh-envelope-refused', { code })
      if (!(await startAnew(this.path, envelope, error)) && (await mayOpenLater(this.path, envelope, code))) throw error
      return undefined
    }
  }

  private taken(lock: string): void {
    const row = this.rows.get(lock)
    if (row !== undefined) void this.quietly(this.deps.onCarried(row, MESH_CARRIER))
  }

  private proven(lock: string): void {
    const row = this.rows.get(lock)
    this.rows.delete(lock)
    if (row !== undefined) void this.quietly(this.deps.onDelivered([row]))
  }

  /** What nobody has received in three days goes again, under a tag of today. */
  private async renew(lock: string): Promise<void> {
    const row = this.rows.get(lock)
    this.rows.delete(lock)
    if (row === undefined) return
    const rows = await this.deps.store.outboxOf(row.message)
    const still = rows.find(({ device }) => device === row.device)
    if (still !== undefined) await this.carry(still)
  }

  private lockOf(row: OutboxRow): string {
    return cureLock(cureKeyOf(row.sealed, this.deps.primitives), this.deps.primitives)
  }

  private async quietly(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => this.deps.logger.warn('mesh-not-recorded', { reason: String(error) }))
  }
}
