/** Raw connections in memory, with somebody on the wire who may change what passes. */
import type { BulkLink, BulkPort } from '../files/index.ts'
import type { DeviceId } from '../ids.ts'

interface Served {
  allows(device: DeviceId): boolean
  onOpened(link: BulkLink): void
}

export class MemoryBulk {
  /** How long it takes to open one. */
  beforeOpen: () => Promise<void> = () => Promise.resolve()
  /** None can be opened. */
  refuses = false
  private readonly served = new Map<DeviceId, Served>()
  /** Bytes that have passed. */
  passed = 0
  /** What becomes of a frame on the wire; `undefined`: the connection breaks off. */
  meddle: (frame: Uint8Array) => Uint8Array | undefined = (frame) => frame

  portOf(self: DeviceId): BulkPort {
    return {
      open: async (device) => {
        await this.beforeOpen()
        const there = this.served.get(device)
        if (this.refuses || there?.allows(self) !== true) return undefined
        const [forth, back] = [new Wire(), new Wire()]
        there.onOpened(this.linkOn(self, back, forth))
        return this.linkOn(device, forth, back)
      },
      handle: (allows, onOpened) => {
        this.served.set(self, { allows, onOpened })
        return () => this.served.delete(self)
      },
    }
  }

  private linkOn(peer: DeviceId, outgoing: Wire, incoming: Wire): BulkLink {
    const close = (): void => {
      outgoing.end()
      incoming.end()
    }
    return {
      peer,
      via: 'direct',
      send: async (frame) => {
        const passed = this.meddle(frame.slice())
        if (passed === undefined) close()
        const isTaken = passed !== undefined && outgoing.put(passed)
        if (isTaken) this.passed += passed.length
        return isTaken
      },
      frames: () => incoming.frames(),
      close,
    }
  }
}

class Wire {
  private readonly arrived: Uint8Array[] = []
  private ended = false
  private wake: () => void = () => undefined

  put(frame: Uint8Array): boolean {
    if (!this.ended) this.arrived.push(frame)
    this.wake()
    return !this.ended
  }

  end(): void {
    this.ended = true
    this.wake()
  }

  async *frames(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const frame = this.arrived.shift()
      if (frame !== undefined) yield frame
      else if (this.ended) return
      else await new Promise<void>((resolve) => (this.wake = resolve))
    }
  }
}
