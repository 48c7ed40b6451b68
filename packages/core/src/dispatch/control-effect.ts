/** What follows from what a device says about delivery. */
import type { AccountId, DeviceId, MessageId } from '../ids.ts'
import type { ControlEffect } from '../main-path/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { StoredDevice, StoreWrite } from '../ports/store.ts'
import type { DeliveryControlFields, ReceiptFields, UnconfirmedMessage } from '../wire/delivery-control.ts'
import type { HandoverFields } from '../wire/handover.ts'

export const NOTHING: ControlEffect = { writes: [], committed: () => undefined }

/** Tokens held of one account: many months of mail. The newest are worth most: a relay takes those of its key and of the one before. */
export const MAX_TOKENS_OF_ONE = 512
/** Between two rounds of handing carriers what one device says is missing, and between two answers about what it asks, milliseconds. */
export const RECALL_EVERY_MS = 30_000

/** What one device may cause by what it says (RC3). */
export class ControlAllowance {
  private readonly recalled = new Map<DeviceId, number>()
  private readonly answered = new Map<DeviceId, number>()

  /** @param now monotonic milliseconds */
  mayRecall(device: DeviceId, now: number): boolean {
    return isSeldom(this.recalled, device, now)
  }

  /** @param now monotonic milliseconds */
  mayAnswer(device: DeviceId, now: number): boolean {
    return isSeldom(this.answered, device, now)
  }
}

function isSeldom(last: Map<DeviceId, number>, device: DeviceId, now: number): boolean {
  if (now - (last.get(device) ?? Number.NEGATIVE_INFINITY) < RECALL_EVERY_MS) return false
  last.set(device, now)
  return true
}

export interface ControlHooks {
  readonly clock: Clock
  readonly allowance: ControlAllowance
  /** Hands rows with these numbers to carriers again. */
  recall(seqs: readonly number[]): Promise<void>
  /** Says what of these is here. */
  answer(asked: readonly UnconfirmedMessage[]): Promise<void>
  onAcknowledged(ids: readonly MessageId[], device: DeviceId): Promise<void>
  isOwn(account: AccountId): boolean
  /** The sender has handed over delivery tags. */
  onHandover(device: DeviceId, handover: HandoverFields): ControlEffect
  /** What asks for more than a commit: that the sender's account has other devices than before, and what it has signed. */
  late(device: StoredDevice, word: DeliveryControlFields): ControlEffect
  /** The sender allows delivery proofs, or no longer. */
  onProofWish(account: AccountId, allowed: boolean): ControlEffect
  /** What is to be durable with news of messages of ours: our other devices are owed them. */
  owed(ids: readonly MessageId[], read: boolean): readonly StoreWrite[]
}

export function controlEffect(hooks: ControlHooks, known: StoredDevice, control: DeliveryControlFields): ControlEffect {
  const { allowance, clock } = hooks
  const { device, account } = known
  switch (control.kind) {
    case 'receipt':
      return hooks.isOwn(account) ? ownReceiptEffect(hooks, device, control) : receiptEffect(hooks, known, control)
    case 'grant':
      return { writes: grantedWrites(account, control), committed: NOTHING.committed }
    case 'missing':
      if (!allowance.mayRecall(device, clock.monotonic())) return NOTHING
      return { writes: [], committed: () => void hooks.recall(control.seqs).catch(() => undefined) }
    case 'unconfirmed':
      if (hooks.isOwn(account) || !allowance.mayAnswer(device, clock.monotonic())) return NOTHING
      return { writes: [], committed: () => void hooks.answer(control.messages).catch(() => undefined) }
    case 'handover':
      return hooks.onHandover(device, control.handover)
    case 'card':
      return hooks.late(known, control)
    case 'proofs':
      return hooks.onProofWish(account, control.allowed)
    case 'unknown':
      return NOTHING
  }
}

function grantedWrites(giver: AccountId, { mailbox, tokens }: Extract<DeliveryControlFields, { kind: 'grant' }>): readonly StoreWrite[] {
  return [
    ...tokens.map((token): StoreWrite => ({ kind: 'token.put', mailbox, token, giver })),
    { kind: 'token.trim', giver, most: MAX_TOKENS_OF_ONE },
  ]
}

/** Ids that were never on their way to this device change nothing: the store looks. */
function receiptEffect({ clock, onAcknowledged, late, owed }: ControlHooks, known: StoredDevice, receipt: ReceiptFields): ControlEffect {
  const { device } = known
  const { delivered, read } = receipt
  const at = clock.now()
  const written = (ids: readonly MessageId[], state: 'delivered' | 'read'): readonly StoreWrite[] =>
    ids.map((message) => ({ kind: 'outbox.acknowledged', message, device, state, at }))
  const signed = receipt.proofs.length === 0 ? NOTHING : late(known, receipt)
  return {
    writes: [
      ...written(delivered, 'delivered'),
      ...written(read, 'read'),
      ...owed(delivered, false),
      ...owed(read, true),
      ...signed.writes,
    ],
    committed: () => {
      void onAcknowledged([...new Set([...delivered, ...read])], device).catch(() => undefined)
      signed.committed()
    },
  }
}

/** What has become of messages that another device of ours has sent: it says so once it knows (DV13). */
function ownReceiptEffect({ clock, onAcknowledged }: ControlHooks, device: DeviceId, receipt: ReceiptFields): ControlEffect {
  const { delivered, read, failed = [], carried = [] } = receipt
  const at = clock.now()
  const moved = (ids: readonly MessageId[], state: 'carried' | 'delivered' | 'read'): readonly StoreWrite[] =>
    ids.map((id) => ({ kind: 'message.state', id, state, at }))
  const gaveUp = failed.map(({ message: id, reason }): StoreWrite => ({ kind: 'message.state', id, state: 'failed', at, reason }))
  const changed = [...delivered, ...read, ...carried, ...failed.map(({ message }) => message)]
  return {
    writes: [...moved(carried, 'carried'), ...gaveUp, ...moved(delivered, 'delivered'), ...moved(read, 'read')],
    committed: () => void onAcknowledged([...new Set(changed)], device).catch(() => undefined),
  }
}
