/** Raw connections that others have opened to us, until the request comes that names them (FI26). */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import { BULK_NAME_BYTES } from '../wire/files.ts'
import type { BulkLink, BulkPort } from './file-ports.ts'
import { hexOf } from './hex.ts'
import { BULK_HELD_MS, BULK_NAMED_WITHIN_MS, MAX_UNCLAIMED } from './limits.ts'

interface Named {
  readonly link: BulkLink
  /** Somebody has it, or it has no use. */
  readonly over: AbortController
}

export class BulkClaims {
  private readonly clock: Pick<Clock, 'sleep'>
  private readonly named = new Map<string, Named>()
  private readonly wanted = new Map<string, (link: BulkLink) => void>()
  /** Of each device, those without a name among them. */
  private readonly unclaimed = new Map<DeviceId, number>()

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.clock = clock
  }

  /** The returned function ends it. */
  serve(bulk: BulkPort, allows: (device: DeviceId) => boolean): () => void {
    return bulk.handle(allows, (link) => void this.take(link))
  }

  /** Somebody has opened one: its first frame is its name. */
  async take(link: BulkLink): Promise<void> {
    const count = this.unclaimed.get(link.peer) ?? 0
    if (count >= MAX_UNCLAIMED) return link.close()
    this.unclaimed.set(link.peer, count + 1)
    await this.hold(link)
    const left = (this.unclaimed.get(link.peer) ?? 1) - 1
    if (left > 0) this.unclaimed.set(link.peer, left)
    else this.unclaimed.delete(link.peer)
  }

  /** Until it is claimed, or closed. */
  private async hold(link: BulkLink): Promise<void> {
    const first = await Promise.race([firstOf(link), this.clock.sleep(BULK_NAMED_WITHIN_MS).then(() => undefined)])
    if (first?.length !== BULK_NAME_BYTES) return link.close()
    const key = keyOf(link.peer, first)
    const claim = this.wanted.get(key)
    if (claim !== undefined) {
      this.wanted.delete(key)
      return claim(link)
    }
    // Of two under one name the later one counts.
    this.takeNamed(key)?.close()
    const over = new AbortController()
    this.named.set(key, { link, over })
    if (await this.clock.sleep(BULK_HELD_MS, { signal: over.signal })) this.takeNamed(key)?.close()
  }

  private takeNamed(key: string): BulkLink | undefined {
    const known = this.named.get(key)
    this.named.delete(key)
    known?.over.abort()
    return known?.link
  }

  /** The connection of this name from a device; `undefined` when it does not come. */
  async claim(device: DeviceId, name: Uint8Array): Promise<BulkLink | undefined> {
    const key = keyOf(device, name)
    const known = this.takeNamed(key)
    if (known !== undefined) return known
    const over = new AbortController()
    const coming = new Promise<BulkLink>((resolve) => this.wanted.set(key, resolve))
    const late = this.clock.sleep(BULK_NAMED_WITHIN_MS, { signal: over.signal }).then(() => void this.wanted.delete(key))
    const link = await Promise.race([coming, late])
    over.abort()
    this.wanted.delete(key)
    return link
  }
}

function keyOf(device: DeviceId, name: Uint8Array): string {
  return `${device} ${hexOf(name)}`
}

/** Reads one frame; nothing else ever comes this way. */
async function firstOf(link: BulkLink): Promise<Uint8Array | undefined> {
  const { value } = await link.frames()[Symbol.asyncIterator]().next()
  return value as Uint8Array | undefined
}
