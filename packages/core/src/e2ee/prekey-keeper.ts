/** Our prekeys while the messenger runs: rotated weekly, looked up by the id in a first flight or an envelope. */
import { SkeinError } from '../errors/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { Random } from '../ports/random.ts'
import type { Store, StoredPrekey, StoreWrite } from '../ports/store.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { signBundle } from './bundle.ts'
import { bundleOf, prekeyPair, rotate } from './prekeys.ts'
import type { OwnPrekeys } from './session.ts'

export interface PrekeyKeeperDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly deviceKey: Uint8Array
  readonly deviceSeed: Uint8Array
}

export class PrekeyKeeper {
  private readonly deps: PrekeyKeeperDeps
  private prekeys: readonly StoredPrekey[] = []
  private signed: SignedBytes | undefined

  constructor(deps: PrekeyKeeperDeps) {
    this.deps = deps
  }

  /** Reads and rotates; true when the bundle is another than before. Call at start and once a day. */
  async refresh(): Promise<boolean> {
    const { store, clock, random } = this.deps
    const rotation = rotate(random, await store.prekeys(), clock.now())
    const writes: StoreWrite[] = [
      ...rotation.removed.map((id) => ({ kind: 'prekey.remove', id }) as const),
      ...rotation.put.map((prekey) => ({ kind: 'prekey.put', prekey }) as const),
    ]
    // Durable before anybody can be told of the key: a message sealed to a key that was lost would be lost.
    if (writes.length > 0) await store.commit(writes)
    this.prekeys = rotation.keep
    const changed = this.signed === undefined || rotation.put.length > 0
    if (changed) this.signed = this.sign(rotation.current)
    return changed
  }

  private sign(prekey: StoredPrekey): SignedBytes {
    const { primitives, deviceKey, deviceSeed } = this.deps
    return signBundle(primitives, bundleOf(primitives, prekey, deviceKey), deviceSeed)
  }

  /** Our bundle as others get it. @throws SkeinError STORE_CLOSED before the first `refresh` */
  bundle(): SignedBytes {
    if (this.signed === undefined) throw new SkeinError('STORE_CLOSED', 'The messenger is not running.')
    return this.signed
  }

  /** @throws SkeinError PREKEY_UNKNOWN */
  find(id: number): Omit<OwnPrekeys, 'oneTimeSecret'> {
    const prekey = this.prekeys.find((each) => each.id === id)
    if (prekey === undefined) throw new SkeinError('PREKEY_UNKNOWN', 'A first message uses a prekey that is gone.')
    return { signedPrekey: prekeyPair(this.deps.primitives, prekey), kemSeed: prekey.kemSeed }
  }

  /** X25519 secret of the prekey that an envelope names. */
  secretOf(id: number): Uint8Array | undefined {
    return this.prekeys.find((each) => each.id === id)?.secret
  }
}
