/** What we hand to one contact alone, beside our card (ET1, EB10): delivery tags of the days ahead, and a one-time prekey. */
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoreWrite } from '../ports/store.ts'
import type { HandoverFields } from '../wire/handover.ts'
import { dayOf, tagsAhead } from './delivery-tags.ts'
import { concat } from './key-derivation.ts'
import { KEEP_AFTER_SUCCESSOR_MS } from './prekeys.ts'

/** One-time prekeys that a device holds of us at most: one a week outlasts the 40 days that one lives. */
export const MAX_ONE_TIME = 8
/** Senders whose tags of today are kept: an introduction that is repeated costs no 40 key derivations again. */
const MAX_MEMO = 256

export interface HandoverDeps {
  readonly store: Pick<Store, 'oneTimePrekeys' | 'commit'>
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  /** 32 bytes, known to this device alone. */
  readonly fetchSecret: Uint8Array
}

export class Handovers {
  private readonly deps: HandoverDeps
  private readonly memo = new Map<string, Omit<HandoverFields, 'oneTime'>>()

  constructor(deps: HandoverDeps) {
    this.deps = deps
  }

  /** For one device of an account; @param sender digest of the account. Its one-time prekey is durable when this resolves. */
  async forDevice(sender: Uint8Array, device: DeviceId): Promise<HandoverFields> {
    const { store, clock, random, primitives } = this.deps
    const held = await store.oneTimePrekeys(device)
    const prekey = { id: someId(random), device, secret: random.bytes(32), expiresAt: clock.now() + KEEP_AFTER_SUCCESSOR_MS }
    const excess = held.slice(0, Math.max(0, held.length + 1 - MAX_ONE_TIME))
    const writes: StoreWrite[] = [...excess.map(({ id }) => ({ kind: 'one-time.remove', id }) as const), { kind: 'one-time.put', prekey }]
    await store.commit(writes)
    return { ...this.tags(sender), oneTime: { id: prekey.id, key: primitives.x25519PublicKey(prekey.secret) } }
  }

  /** For whoever holds an invite, so without a prekey: several may read it. @param sender digest of the invite's secret */
  forInvited(sender: Uint8Array): HandoverFields {
    return { ...this.tags(sender), oneTime: undefined }
  }

  private tags(sender: Uint8Array): Omit<HandoverFields, 'oneTime'> {
    const { primitives, clock, fetchSecret } = this.deps
    const firstDay = dayOf(clock.now())
    const name = `${firstDay} ${sender.join()}`
    const known = this.memo.get(name)
    if (known !== undefined) return known
    const made = { firstDay, deliveryTags: concat(...tagsAhead(primitives, fetchSecret, { sender, day: firstDay })) }
    const [oldest] = this.memo.keys()
    if (this.memo.size >= MAX_MEMO && oldest !== undefined) this.memo.delete(oldest)
    this.memo.set(name, made)
    return made
  }
}

/** 0 stands for none. */
function someId(random: Random): number {
  const bytes = random.bytes(4)
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) || 1
}
