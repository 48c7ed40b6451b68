/** What one device of the account has received, for its others (FI38): they have the key, this one has the content. */
import type { MessageId } from '../ids.ts'
import type { FileFrame } from '../wire/files.ts'
import { planOf } from './chunk-plan.ts'
import type { FilePlatform } from './file-ports.ts'
import type { Outcome, ServingDeps } from './serving.ts'
import { SharedSource } from './shared-source.ts'
import type { Live, TransferBook } from './transfer-book.ts'

type Asked = Extract<FileFrame, { kind: 'request' }>

export interface OwnSourcesDeps {
  readonly transfers: TransferBook
  readonly platform: FilePlatform
  readonly sealing: ConstructorParameters<typeof SharedSource>[0]
}

/** For a link of another device of ours, instead of what contacts are served. What is sent counts for no transfer here. */
export function servingOwn(contacts: ServingDeps, deps: OwnSourcesDeps): ServingDeps {
  const nothing = async (): Promise<void> => undefined
  return {
    ...contacts,
    lookUp: async (asked) => find(deps, asked),
    withSource: (live, work) => withReceived(deps, live, work),
    onServing: nothing,
    onSent: () => undefined,
    onServed: nothing,
    // Another device may have it; this one is asked again only where its thread has ended.
    onBroken: async (_live, { code }) => code !== 'STORE_CLOSED',
    onOutcome: async () => true,
  }
}

/** A single file that is here whole, under the key that the other device has shown: ours is forgotten. */
function find({ transfers, platform }: OwnSourcesDeps, { id, key, part }: Asked): Live | Outcome {
  const live = transfers.find(id, 'in')
  const { path, state } = live?.stored ?? { path: null, state: 'failed' }
  if (live === undefined || path === null || state !== 'done' || part !== 'content' || live.manifest.folder !== undefined)
    return unknown(id)
  const place = platform.placeOf(path, live.manifest)
  if (key.length === 0 || planOf(live.manifest).count === 0) return unknown(id)
  return { ...live, stored: { ...live.stored, place }, manifest: { ...live.manifest, key } }
}

function unknown(id: MessageId): Outcome {
  return { kind: 'outcome', id, state: 'failed', code: 'TRANSFER_UNKNOWN', digest: new Uint8Array() }
}

async function withReceived<T>(
  { platform, sealing }: OwnSourcesDeps,
  { stored, manifest }: Live,
  work: (source: SharedSource, isShared: () => boolean) => Promise<T>,
): Promise<T> {
  const source = new SharedSource(sealing, manifest, await platform.openSource(stored.place, manifest))
  try {
    return await work(source, () => false)
  } finally {
    await source.close()
  }
}
