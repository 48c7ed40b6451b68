/** One part of one file on its way to one device by the mesh: what is to be sent, flies, and lies with carriers. */
import type { DeviceId } from '../ids.ts'
import type { FilePart } from '../wire/files.ts'
import { MESH_SLOW_MS, MESH_WINDOW } from './limits.ts'
import type { Lane } from './mesh-boxes.ts'
import type { Live } from './transfer-book.ts'

/** A box that the mesh has. */
export interface Boxed {
  /** What it holds: bytes of a chunk, or something small. */
  readonly of: number | 'probe' | 'end'
  /** Content bytes of the file that are there when it is proven. */
  readonly bytes: number
  /** Of its content, should it have to be withdrawn. */
  readonly proof: Uint8Array
  /** Monotonic ms. */
  readonly at: number
  isHeld: boolean
}

export class Carriage {
  readonly live: Live
  readonly device: DeviceId
  readonly lane: Lane
  part: FilePart = 'content'
  isRunning = false
  /** Told something: what waits for room looks again. */
  changed = new AbortController()
  private queue: number[] = []
  private readonly boxes = new Map<string, Boxed>()
  private isEnded = false
  private window: number = MESH_WINDOW.first

  constructor(live: Live, device: DeviceId, lane: Lane) {
    this.live = live
    this.device = device
    this.lane = lane
  }

  /** The recipient lacks these; what it has need not be carried any longer. @returns what lies with carriers for nothing */
  wish(part: FilePart, missing: readonly number[]): readonly Boxed[] {
    const lacks = new Set(missing)
    const isWanted = ({ of }: Boxed): boolean => this.part === part && (typeof of !== 'number' || lacks.has(of))
    const useless = [...this.boxes].filter(([, box]) => !isWanted(box))
    for (const [lock] of useless) this.boxes.delete(lock)
    this.part = part
    this.isEnded = false
    const under = new Set([...this.boxes.values()].map(({ of }) => of))
    this.queue = missing.filter((index) => !under.has(index))
    this.wake()
    return useless.map(([, box]) => box)
  }

  /** The next chunk to be sent. */
  get next(): number | undefined {
    return this.queue[0]
  }

  /** Chunks to be sent, or the root behind them. */
  get hasWork(): boolean {
    return this.next !== undefined || (this.part === 'content' && !this.isEnded && !this.has('end'))
  }

  sent(index: number): void {
    if (this.queue[0] === index) this.queue.shift()
  }

  add(lock: string, box: Boxed): void {
    this.boxes.set(lock, box)
  }

  knows(lock: string): boolean {
    return this.boxes.has(lock)
  }

  /** Whether something of this kind has the mesh already. */
  has(of: 'probe' | 'end'): boolean {
    return [...this.boxes.values()].some((box) => box.of === of)
  }

  get flying(): number {
    return [...this.boxes.values()].filter(({ isHeld, of }) => !isHeld && typeof of === 'number').length
  }

  get isFull(): boolean {
    return this.flying >= Math.floor(this.window)
  }

  all(): Iterable<Boxed> {
    return this.boxes.values()
  }

  held(lock: string): void {
    const box = this.boxes.get(lock)
    if (box !== undefined) box.isHeld = true
    this.wake()
  }

  /** @returns what it was */
  proven(lock: string, now: number): Boxed | undefined {
    const box = this.boxes.get(lock)
    this.boxes.delete(lock)
    if (box?.of === 'end') this.isEnded = true
    if (box !== undefined && !box.isHeld && typeof box.of === 'number') this.adapt(now - box.at)
    this.wake()
    return box
  }

  /** It is to be sent once more. */
  lost(lock: string): void {
    const box = this.boxes.get(lock)
    this.boxes.delete(lock)
    if (typeof box?.of === 'number' && !this.queue.includes(box.of)) this.queue = [box.of, ...this.queue]
    this.window = MESH_WINDOW.first
    this.wake()
  }

  /** What waits looks again. */
  wake(): void {
    this.changed.abort()
    this.changed = new AbortController()
  }

  private adapt(took: number): void {
    if (took > MESH_SLOW_MS) this.window = Math.max(MESH_WINDOW.first, this.window - 1)
    else if (took < MESH_SLOW_MS / 2) this.window = Math.min(MESH_WINDOW.most, this.window + 1)
  }
}
