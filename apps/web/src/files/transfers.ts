/** All transfers as the interface shows them: read once, kept up to date by events. */
import type { ApiClient, ClientEvent, TransferView } from '@skein/node/browser'
import type { ClientModel } from '../client/model.ts'
import { Observable } from '../client/observable.ts'

/** Newest first; `undefined` before they are known. */
export type TransferList = readonly TransferView[] | undefined

const known = new WeakMap<ClientModel, Transfers>()

/** One for all who show transfers of a client. */
export function transfersOf(model: ClientModel): Transfers {
  const transfers = known.get(model) ?? new Transfers(model)
  known.set(model, transfers)
  return transfers
}

export class Transfers extends Observable<TransferList> {
  private readonly model: ClientModel
  private api: ApiClient | undefined

  constructor(model: ClientModel) {
    super(undefined)
    this.model = model
    model.subscribe(() => this.look())
    model.onEvents((events) => this.take(events))
    this.look()
  }

  /** A tab that takes over begins anew: what was heard of the one before may be old. */
  private look(): void {
    const { api } = this.model.get()
    if (api === this.api) return
    this.api = api
    if (api !== undefined) void this.read(api).catch(() => undefined)
  }

  private async read(api: ApiClient): Promise<void> {
    const { transfers } = await api.transfers()
    if (this.api === api) this.set(transfers)
  }

  private take(events: readonly ClientEvent[]): void {
    const changes = events.some(({ event }) => event === 'transfer' || event === 'cleared')
    const before = this.get()
    if (changes && before !== undefined) this.set(events.reduce<readonly TransferView[]>(withEvent, before))
  }
}

/** The list after an event: a transfer as it is now, or without those of a conversation that was deleted. */
export function withEvent(all: readonly TransferView[], event: ClientEvent): readonly TransferView[] {
  if (event.event === 'cleared') return all.filter(({ contact }) => contact !== event.contact)
  return event.event === 'transfer' ? withTransfer(all, event) : all
}

/** A new one stands first. */
function withTransfer(all: readonly TransferView[], transfer: TransferView): readonly TransferView[] {
  const isSame = (each: TransferView): boolean => each.transfer === transfer.transfer && each.direction === transfer.direction
  return all.some(isSame) ? all.map((each) => (isSame(each) ? transfer : each)) : [transfer, ...all]
}
