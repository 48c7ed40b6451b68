/** What is carried, as it goes from one device to another by hand. */
import { type MeshService, type Messenger, SkeinError } from '@skein/core'
import { base64 } from '@scure/base'

export async function packed(messenger: Messenger, after: string | undefined): Promise<{ bundles: string[]; next: string | null }> {
  const { transfers, next } = await meshOf(messenger).packing.pack(after)
  return { bundles: transfers.map((bytes) => base64.encode(bytes)), next: next ?? null }
}

export async function unpacked(
  messenger: Messenger,
  bundles: readonly string[],
): Promise<{ taken: number; known: number; refused: number }> {
  const counts = await meshOf(messenger).packing.unpack(bundles.map(decoded))
  return { taken: counts.taken, known: counts.known + counts.cured, refused: counts.refused + counts.late + counts['no-room'] }
}

function meshOf({ mesh }: Messenger): MeshService {
  if (mesh === undefined) throw new SkeinError('USAGE', 'This node is part of no mesh, so it carries nothing.')
  return mesh
}

/** @throws SkeinError USAGE */
export function decoded(text: string): Uint8Array {
  try {
    return base64.decode(text)
  } catch (cause) {
    throw new SkeinError('USAGE', 'What is to be carried is not base64.', { cause })
  }
}
