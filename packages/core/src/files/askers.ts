/** Devices of a recipient that fetch an offer of ours, or have paused it: what another of them decides is not theirs (FI63). */
import type { ContactBook } from '../contacts/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Outcome } from './serving.ts'
import type { Live } from './transfer-book.ts'

export class Askers {
  private readonly book: Pick<ContactBook, 'ownerOf'>
  /** Whether it goes on there; `false`: it has paused it. */
  private readonly known = new WeakMap<Live, Map<DeviceId, boolean>>()

  constructor(book: Pick<ContactBook, 'ownerOf'>) {
    this.book = book
  }

  asks(live: Live, device: DeviceId): void {
    this.known.set(live, (this.known.get(live) ?? new Map<DeviceId, boolean>()).set(device, true))
  }

  /** Keeps in mind what a device has said. @returns whether that goes for its whole account */
  speaksForAll(live: Live, device: DeviceId, { state, code }: Outcome): boolean {
    const known = this.known.get(live)
    // That the file has changed is not of one device.
    if (known === undefined || state === 'ready' || state === 'done' || code === 'FILE_CHANGED') return true
    known.delete(device)
    const isLeft = [...known].some(([each, goesOn]) => (goesOn || state !== 'paused') && this.isTheirs(live, each))
    if (state === 'paused') known.set(device, false)
    return !isLeft
  }

  private isTheirs({ stored }: Live, device: DeviceId): boolean {
    return this.book.ownerOf(device)?.account === stored.contact
  }
}
