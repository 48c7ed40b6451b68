/** Devices of a recipient that fetch an offer of ours, or have paused it: what another of them decides is not theirs (FI63). */
import type { ContactBook } from '../contacts/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Outcome } from './serving.ts'
import { isFinal, type Live, type TransferBook } from './transfer-book.ts'

export interface AskersDeps {
  readonly book: Pick<ContactBook, 'ownerOf'>
  readonly transfers: Pick<TransferBook, 'change'>
}

export class Askers {
  private readonly deps: AskersDeps

  constructor(deps: AskersDeps) {
    this.deps = deps
  }

  /** A device is sent it: who goes on is known after a restart too. */
  async asks(live: Live, device: DeviceId): Promise<void> {
    const { stored } = live
    const askers = textOf(knownOf(live).set(device, true))
    if (stored.state === 'waiting') await this.deps.transfers.change(live, { askers, state: 'running', reason: null })
    else if (askers !== stored.askers && !isFinal(stored)) await this.keep(live, askers)
  }

  /** Keeps in mind what a device has said. @returns whether that goes for its whole account */
  async speaksForAll(live: Live, device: DeviceId, { state, code }: Outcome): Promise<boolean> {
    // That the file has changed is not of one device.
    if (state === 'ready' || state === 'done' || code === 'FILE_CHANGED') return true
    if (isFinal(live.stored) || live.stored.direction === 'in') return true
    const known = knownOf(live)
    known.delete(device)
    const isLeft = [...known].some(([each, goesOn]) => (goesOn || state !== 'paused') && this.isTheirs(live, each))
    if (state === 'paused') known.set(device, false)
    const askers = textOf(known)
    // Else it is kept with what becomes of all.
    if (isLeft) await this.keep(live, askers)
    else live.stored = { ...live.stored, askers }
    return !isLeft
  }

  /** A store that is full keeps nobody from being served or heard: it is known until the program ends then. */
  private async keep(live: Live, askers: string): Promise<void> {
    await this.deps.transfers.change(live, { askers }).catch(() => undefined)
  }

  private isTheirs({ stored }: Live, device: DeviceId): boolean {
    return this.deps.book.ownerOf(device)?.account === stored.contact
  }
}

/** Whether it goes on there; `false`: it has paused it. */
function knownOf({ stored: { askers } }: Live): Map<DeviceId, boolean> {
  return new Map(JSON.parse(askers ?? '[]') as [DeviceId, boolean][])
}

function textOf(known: ReadonlyMap<DeviceId, boolean>): string {
  return JSON.stringify([...known])
}
