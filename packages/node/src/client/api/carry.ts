/** What is carried, as it goes from one device to another by hand. */
import { type MeshService, type Messenger, SkeinError } from '@skein/core'
import { base64 } from '@scure/base'
import { decoded } from './decoded.ts'

export async function packed(messenger: Messenger, after: string | undefined): Promise<{ bundles: string[]; next: string | null }> {
  const { transfers, next } = await meshOf(messenger).packing.pack(after)
  return { bundles: transfers.map((bytes) => base64.encode(bytes)), next: next ?? null }
}

export async function unpacked(
  messenger: Messenger,
  bundles: readonly string[],
): Promise<{ taken: number; known: number; refused: number; no_room: number; late: number; later: number }> {
  const counts = await meshOf(messenger).packing.unpack(bundles.map(decoded))
  const { taken, known, cured, late, 'no-room': none } = counts
  const later = counts.unopened + counts.busy
  return { taken, known: known + cured, refused: counts.refused + late + none + later, no_room: none, late, later }
}

function meshOf({ mesh }: Messenger): MeshService {
  if (mesh === undefined) throw new SkeinError('USAGE', 'This node is part of no mesh, so it carries nothing.')
  return mesh
}
