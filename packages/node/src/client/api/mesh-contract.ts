/** The part of the contract about the mesh. */
import * as z from 'zod/mini'

const Instant = z.int()

const MeshWay = z.object({ device: z.string(), hops: z.int(), quality: z.number(), proven_at: Instant })
/** Whether each single bundle is wanted, of which there may be tens of thousands; it is unless that is said. */
export const MeshInput = z.optional(z.object({ bundles: z.optional(z.boolean()) }))
/** The mesh as this node sees it; `contact` and `name` only where the user knows them. */
export const MeshView = z.object({
  /** Whether this node is part of a mesh at all. */
  enabled: z.boolean(),
  /** Why not: it is switched off, there is neither a local network nor a bridge, or a browser has no way to its neighbours. */
  off: z.nullable(z.enum(['option', 'no-lan', 'browser'])),
  neighbours: z.array(
    z.object({
      device: z.string(),
      contact: z.nullable(z.string()),
      name: z.string(),
      since: Instant,
      bytes_in: z.int(),
      bytes_out: z.int(),
      /** Addresses that are reached over it. */
      routes: z.int(),
    }),
  ),
  /** Best way first. */
  routes: z.array(z.object({ address: z.string(), contact: z.nullable(z.string()), name: z.string(), ways: z.array(MeshWay) })),
  bundles: z.array(
    z.object({
      id: z.string(),
      address: z.string(),
      /** Whom it is for. */
      contact: z.nullable(z.string()),
      name: z.string(),
      bytes: z.int(),
      own: z.boolean(),
      hops: z.int(),
      copies: z.int(),
      /** One of several pieces. */
      piece: z.boolean(),
      received_at: Instant,
      expires_at: Instant,
    }),
  ),
  /** Sums of these by whom they are for, those made here first, then the largest. */
  carried: z.array(
    z.object({
      address: z.string(),
      contact: z.nullable(z.string()),
      name: z.string(),
      own: z.boolean(),
      count: z.int(),
      bytes: z.int(),
    }),
  ),
  carried_count: z.int(),
  /** Neighbours live in another time: this clock is wrong, and messages neither leave nor come by the mesh. */
  clock_differs: z.boolean(),
  /** How large messages have gone since the start. */
  pieces: z.object({
    /** In pieces, over ways that share no node, and with separate carriers. */
    over_ways: z.int(),
    over_carriers: z.int(),
    /** Whole, because pieces would have been worse. */
    as_copies: z.int(),
    /** Whole, because there was one way only: those on it saw the whole of the sealed message. */
    over_one_way: z.int(),
    /** Became whole here. */
    joined: z.int(),
    /** Share of copies left to carriers that arrive, 0 to 1, as far as is known. */
    survival: z.number(),
  }),
  used_bytes: z.int(),
  capacity_bytes: z.int(),
})
export type MeshView = z.infer<typeof MeshView>
