/** What a source is to its platform, between its offer and its end. */
import * as z from 'zod'

/** Names at the top and their paths, in the order of the list. */
const Roots = z.array(z.tuple([z.string(), z.string()]))
/** As they were kept once: names that are numbers changed their order, and some were lost. */
const OldRoots = z.pipe(
  z.record(z.string(), z.string()),
  z.transform((roots) => Object.entries(roots)),
)

/** Where the disks are mounted that it lies on. */
const Mounts = z._default(z.array(z.string()), [])

/** What `place` of an outgoing transfer holds. */
export const SourcePlace = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: z.string(), modifiedAt: z.number(), mounts: Mounts }),
  /** `list`: name of the file beside the database that holds the encoded list. */
  z.object({ kind: z.literal('folder'), roots: z.union([Roots, OldRoots]), list: z.string(), mounts: Mounts }),
])
export type SourcePlace = z.infer<typeof SourcePlace>
