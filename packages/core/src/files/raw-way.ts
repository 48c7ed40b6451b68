/** The raw connection to one source: looked for beside what goes over the channel, and again some time after it was lost (FI43). */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import type { Swarm } from '../ports/swarm.ts'
import { BULK_NAME_BYTES } from '../wire/files.ts'
import type { RawConnection } from './fetching.ts'
import type { BulkLink, BulkPort, ContentSink } from './file-ports.ts'
import { RAW_HEAD_START_MS, RAW_RETRY_MS } from './limits.ts'

export interface RawWayDeps {
  readonly bulk: BulkPort | undefined
  readonly swarm: Pick<Swarm, 'paths'>
  readonly clock: Pick<Clock, 'monotonic' | 'sleep'>
  readonly random: Pick<Random, 'bytes'>
  readonly tries: RawTries
}

/** How often raw connections to a device have failed, over all transfers. */
export class RawTries {
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly failed = new Map<DeviceId, { readonly times: number; readonly at: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.clock = clock
  }

  /** Milliseconds until the next try. */
  waitFor(device: DeviceId): number {
    const failed = this.failed.get(device)
    if (failed === undefined) return 0
    const wait = Math.min(RAW_RETRY_MS.most, RAW_RETRY_MS.first * 2 ** (failed.times - 1))
    return Math.max(0, failed.at + wait - this.clock.monotonic())
  }

  onFailed(device: DeviceId): void {
    const times = (this.failed.get(device)?.times ?? 0) + 1
    this.failed.set(device, { times, at: this.clock.monotonic() })
  }

  /** It works, or the device is reached by another path than before. */
  forget(device: DeviceId): void {
    this.failed.delete(device)
  }
}

export interface OpenRaw {
  readonly link: BulkLink
  readonly connection: RawConnection
}

export interface RawWayHooks {
  readonly sink: Pick<ContentSink, 'receiveFrom'>
  /** There is one, if not at once. */
  onOpened(): void
  /** A try has come to nothing. */
  onMissed(): void
}

/** As long as one channel to the source stands. */
export class RawWay {
  private readonly deps: RawWayDeps
  private readonly device: DeviceId
  private readonly sink: Pick<ContentSink, 'receiveFrom'>
  private readonly over = new AbortController()
  private opened: OpenRaw | undefined
  private readonly first: Promise<unknown>
  /** The first try has not come to anything yet. */
  isSought: boolean

  /** Begins to look. */
  constructor(deps: RawWayDeps, device: DeviceId, hooks: RawWayHooks) {
    this.deps = deps
    this.device = device
    this.sink = hooks.sink
    const hasFailed = deps.tries.waitFor(device) > 0
    this.isSought = deps.bulk !== undefined && !hasFailed
    const looking = this.look(hooks).catch(() => undefined)
    const headStart = hasFailed ? undefined : deps.clock.sleep(RAW_HEAD_START_MS, { signal: this.over.signal })
    this.first = Promise.race([looking, headStart])
  }

  /** The raw connection that is there, after a moment for the first to be opened. */
  async current(): Promise<RawConnection | undefined> {
    await this.first
    return this.opened?.connection
  }

  /** What is there now. */
  get now(): RawConnection | undefined {
    return this.opened?.connection
  }

  /** It brought what does not open, or broke off before it had brought anything. */
  onFailed(): void {
    this.deps.tries.onFailed(this.device)
    this.close()
  }

  onWorked(): void {
    this.deps.tries.forget(this.device)
  }

  close(): void {
    this.over.abort()
    this.opened?.link.close()
  }

  private async look({ onOpened, onMissed }: RawWayHooks): Promise<void> {
    const { clock, tries } = this.deps
    const { signal } = this.over
    while (this.deps.bulk !== undefined && !signal.aborted) {
      const wait = tries.waitFor(this.device)
      if (wait > 0 && !(await clock.sleep(wait, { signal }))) return
      this.opened = await this.open(this.deps.bulk).finally(() => (this.isSought = false))
      if (signal.aborted) return this.opened?.link.close()
      if (this.opened !== undefined) return onOpened()
      tries.onFailed(this.device)
      onMissed()
    }
  }

  private async open(bulk: BulkPort): Promise<OpenRaw | undefined> {
    const path = this.deps.swarm.paths().find(({ device }) => device === this.device)
    if (path === undefined) return undefined
    // Over a relay is no better where there is a direct path.
    const opened = await bulk.open(this.device, { mayRelay: path.path === 'relayed' })
    const name = this.deps.random.bytes(BULK_NAME_BYTES)
    if (opened === undefined || this.over.signal.aborted || !(await opened.send(name))) {
      opened?.close()
      return undefined
    }
    const receiver = await this.sink.receiveFrom?.(opened)
    const frames = opened.frames()[Symbol.asyncIterator]()
    return { link: opened, connection: { name, frames, receiver, window: opened.window, close: () => opened.close() } }
  }
}
