/** What a source is to its platform, between its offer and its end. */
import * as z from 'zod'

/** What `place` of an outgoing transfer holds. */
export const SourcePlace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: z.string(), modifiedAt: z.number() }),
  /** `list`: name of the file beside the database that holds the encoded list. */
  z.object({ kind: z.literal('folder'), roots: z.record(z.string(), z.string()), list: z.string() }),
])
export type SourcePlace = z.infer<typeof SourcePlace>
