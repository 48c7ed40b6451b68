/** What waits for devices that are in no list any more (DV8). */
import type { DeviceId } from '../ids.ts'
import type { MainPath } from '../main-path/index.ts'
import { loadDropDevice } from './late-code.ts'

export class GoneDevices {
  private readonly path: MainPath
  private last: Promise<unknown> = Promise.resolve()

  constructor(path: MainPath) {
    this.path = path
  }

  /** One after the other: two at once would send one message twice to other devices. */
  drop(device: DeviceId): Promise<void> {
    const done = this.last.then(async () => (await loadDropDevice()).dropDevice(this.path, device))
    this.last = done.catch(() => undefined)
    return done
  }

  /** A list is durable before what it takes out is dropped: a crash or a full disk may have come in between. */
  async look(): Promise<void> {
    const { store, book } = this.path
    const waiting = [...(await store.outboxDevices()).map(({ device }) => device), ...(await store.receiptDevices())]
    for (const device of new Set(waiting)) if (book.device(device) === undefined) await this.drop(device)
  }
}
