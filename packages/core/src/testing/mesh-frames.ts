/** What a neighbour may say, honest or not, and two nodes to say it to. */
import { sha256 } from '@noble/hashes/sha2.js'
import { type BundleHeader, bundleHeader } from '../mesh/index.ts'
import { encodeMeshControl, type MeshControlFields } from '../wire/mesh.ts'
import { encodeBundle, type NeighbourFrameFields, type TransferFields } from '../wire/mesh-bundle.ts'
import { encodeRouteFrame } from '../wire/mesh-route.ts'
import { cureKeyOf, envelopeFor, MeshLab, tagOf } from './mesh-lab.ts'

export const primitives = { sha256: (bytes: Uint8Array): Uint8Array => sha256(bytes) }
const HOUR_MS = 3_600_000

export interface Made {
  readonly bytes: Uint8Array
  readonly header: BundleHeader
}

export interface Wanted {
  readonly text?: string
  readonly now: number
  readonly hours?: number
  readonly size?: number
  /** Priority of part of a file. */
  readonly chunk?: 0 | 1
}

/** A bundle for a node of the laboratory. */
export function bundle(to: string, { text = 'x', now, hours = 5, size, chunk }: Wanted): Made {
  const bytes = encodeBundle({
    kind: chunk === undefined ? 'envelope' : 'chunk',
    deliveryTag: tagOf(to),
    expiryHour: Math.ceil(now / HOUR_MS) + hours,
    cureLock: sha256(cureKeyOf(text)).slice(0, 16),
    priority: chunk ?? 1,
    sealed: size === undefined ? envelopeFor(to, { text, now }) : new Uint8Array(size).fill(text.length),
  })
  return { bytes, header: bundleHeader(bytes, primitives) }
}

export const transfer = (bytes: Uint8Array, more: Partial<TransferFields> = {}): NeighbourFrameFields => ({
  kind: 'transfer',
  transfer: { bundle: bytes, hops: 1, hopLimit: 10, copies: 4, ...more },
})
export const control = (said: Partial<MeshControlFields>): NeighbourFrameFields => ({
  kind: 'control',
  frame: encodeMeshControl({
    ...{ addresses: [], gained: [], lost: [], offered: [], cures: [], prospects: [], partials: [] },
    ...{ sketch: undefined, more: 0, wanted: [], experience: [], about: 0, listed: 0, sum: 0, ...said },
  }),
})
export const forward = (
  { bytes, header }: Made,
  change: Partial<{ key: string; lock: string; address: number; attempt: number }> = {},
): NeighbourFrameFields => ({
  kind: 'route',
  frame: encodeRouteFrame({
    ...{ kind: 'forward', key: header.key, address: header.address, lock: header.lock, attempt: 1, ...change },
    ...{ hopLimit: 4_000_000_000, flood: true, payload: bytes },
  }),
})

/** Ana and bo, linked. */
export async function pair(options: { capacityBytes?: number } = {}): Promise<MeshLab> {
  const lab = new MeshLab(options)
  for (const name of ['ana', 'bo']) await lab.start(name)
  lab.connect('ana', 'bo')
  await lab.run(500)
  return lab
}
