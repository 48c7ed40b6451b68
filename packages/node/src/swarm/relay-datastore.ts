/** libp2p's datastore on a relay: in memory, but for what its certificate needs. */
import { MemoryDatastore } from 'datastore-core'

/** What must survive a restart: the certificate of WebRTC-direct and its key. */
export interface DurableEntries {
  get(key: string): Uint8Array | undefined
  put(key: string, value: Uint8Array): void
  delete(key: string): void
}

export type StoreKey = Parameters<MemoryDatastore['put']>[0]

/** Where `@libp2p/kad-dht` 16 keeps records, by its own prefix. */
const DHT_RECORDS = '/dht/record/'

/** Keeps keychain and certificate entries in `durable` as well; peers and DHT records stay in memory on purpose. */
export class CertificateDatastore extends MemoryDatastore {
  readonly #durable: DurableEntries
  /** Told of each record of the DHT that has been put. */
  onRecord: (key: StoreKey) => void = () => undefined

  constructor(durable: DurableEntries) {
    super()
    this.#durable = durable
  }

  override put(key: StoreKey, value: Uint8Array): StoreKey | Promise<StoreKey> {
    // A copy: what the library's encoder gives is a small part of 64 KiB, all of which would stay for each peer.
    if (!isDurable(key)) {
      const kept = super.put(key, value.slice())
      if (key.toString().startsWith(DHT_RECORDS)) this.onRecord(key)
      return kept
    }
    this.#durable.put(key.toString(), value)
    return key
  }

  override get(key: StoreKey): Uint8Array | Promise<Uint8Array> {
    return (isDurable(key) ? this.#durable.get(key.toString()) : undefined) ?? super.get(key)
  }

  override has(key: StoreKey): boolean | Promise<boolean> {
    return isDurable(key) ? this.#durable.get(key.toString()) !== undefined : super.has(key)
  }

  override async delete(key: StoreKey): Promise<void> {
    if (isDurable(key)) this.#durable.delete(key.toString())
    else await super.delete(key)
  }
}

function isDurable(key: StoreKey): boolean {
  return /^\/(pkcs8|info|libp2p\/webrtc-direct)\//.test(key.toString())
}
