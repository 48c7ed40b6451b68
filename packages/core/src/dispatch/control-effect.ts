/** What follows from what a device says about delivery. */
import type { DeviceId, MessageId } from '../ids.ts'
import type { ControlEffect } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { StoredDevice, StoreWrite } from '../ports/store.ts'
import type { DeliveryControlFields, ReceiptFields } from '../wire/delivery-control.ts'

const NOTHING: ControlEffect = { writes: [], committed: () => undefined }

export interface ControlHooks {
  readonly clock: Clock
  /** Hands rows with these numbers to carriers again. */
  recall(seqs: readonly number[]): Promise<void>
  onAcknowledged(ids: readonly MessageId[], device: DeviceId): Promise<void>
}

export function controlEffect(hooks: ControlHooks, { device }: StoredDevice, control: DeliveryControlFields): ControlEffect {
  switch (control.kind) {
    case 'receipt':
      return receiptEffect(hooks, device, control)
    case 'grant':
      return {
        writes: control.tokens.map((token) => ({ kind: 'token.put', mailbox: control.mailbox, token })),
        committed: NOTHING.committed,
      }
    case 'missing':
      return { writes: [], committed: () => void hooks.recall(control.seqs).catch(() => undefined) }
    case 'unknown':
      return NOTHING
  }
}

/** Ids that were never on their way to this device change nothing: the store looks. */
function receiptEffect({ clock, onAcknowledged }: ControlHooks, device: DeviceId, { delivered, read }: ReceiptFields): ControlEffect {
  const at = clock.now()
  const written = (ids: readonly MessageId[], state: 'delivered' | 'read'): readonly StoreWrite[] =>
    ids.map((message) => ({ kind: 'outbox.acknowledged', message, device, state, at }))
  return {
    writes: [...written(delivered, 'delivered'), ...written(read, 'read')],
    committed: () => void onAcknowledged([...new Set([...delivered, ...read])], device).catch(() => undefined),
  }
}
