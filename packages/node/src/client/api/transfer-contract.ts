/** What the API says of files on their way. */
import * as z from 'zod/mini'

const Instant = z.int()

/** A file or folder on its way; `transfer` is the id of the message that offers it. */
export const TransferView = z.object({
  transfer: z.string(),
  contact: z.string(),
  /** What the user calls the contact. */
  contact_name: z.string(),
  direction: z.enum(['in', 'out']),
  /** `offered`: waits for `accept`. `waiting`: for its turn, or for the other side. */
  state: z.enum(['offered', 'waiting', 'running', 'paused', 'done', 'failed', 'cancelled']),
  /** Code of what went wrong, or what it waits for. */
  reason: z.nullable(z.string()),
  /** Of the file or folder, as its sender calls it. */
  name: z.string(),
  media_type: z.string(),
  /** Files and folders in it; 0 for a single file. */
  entries: z.int(),
  /** Of the content: there and verified, and in all; while it grows, as far as is known. */
  bytes: z.int(),
  total: z.int(),
  /** What comes through a pipe that has not ended: nobody knows how much it will be. */
  growing: z.boolean(),
  /** Sealed bytes that were sent or received, whatever became of them. */
  moved: z.int(),
  /** Bytes a second, and time left, while it runs. */
  rate: z.int(),
  left_ms: z.nullable(z.int()),
  /** Its place among those that wait for their turn, from 1, at most 20; null for what waits for something else, or not at all. */
  queue: z.nullable(z.int()),
  /** It has changed while it was sent: another transfer takes its place by itself. */
  offered_anew: z.boolean(),
  /** The transfer whose place it takes; null for most. */
  replaces: z.nullable(z.string()),
  /** Of the content, in hex, once it is done; of a folder: of its files one after the other. */
  sha256: z.nullable(z.string()),
  /** Where it was put. */
  path: z.nullable(z.string()),
  created_at: Instant,
  updated_at: Instant,
})
export type TransferView = z.infer<typeof TransferView>
