/** All transfers as the interface shows them: read once, kept up to date by events. */
import type { ApiClient, ClientEvent, TransferView } from '@skein/node/browser'
import { ApiValue } from '../client/api-value.ts'
import type { ClientModel } from '../client/model.ts'

/** Newest first; `undefined` before they are known. */
export type TransferList = readonly TransferView[] | undefined

const known = new WeakMap<ClientModel, Transfers>()

/** One for all who show transfers of a client. */
export function transfersOf(model: ClientModel): Transfers {
  const transfers = known.get(model) ?? new Transfers(model)
  known.set(model, transfers)
  return transfers
}

export class Transfers extends ApiValue<TransferList> {
  constructor(model: ClientModel) {
    super(model, undefined)
    model.onEvents((events) => this.take(events))
  }

  protected async ask(api: ApiClient): Promise<TransferList> {
    return (await api.transfers()).transfers
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
