/** What the API says about mail on its way. */
import * as z from 'zod/mini'

export const MessageState = z.enum(['queued', 'carried', 'delivered', 'read', 'failed'])
/** States one can wait for. */
export const WaitState = z.enum(['queued', 'carried', 'delivered', 'read'])
export type WaitState = z.infer<typeof WaitState>
const Instant = z.int()

export const SentMessage = z.object({
  contact: z.string(),
  id: z.string(),
  state: MessageState,
  reason: z.nullable(z.string()),
  created_at: Instant,
  delivered_at: z.nullable(Instant),
})
export type SentMessage = z.infer<typeof SentMessage>

export const OutboxView = z.object({
  contact: z.string(),
  name: z.string(),
  device: z.string(),
  id: z.string(),
  state: z.enum(['queued', 'carried']),
  carriers: z.array(z.string()),
  hold: z.nullable(
    z.enum(['blocked', 'not-accepted', 'keys-changed', 'no-keys', 'no-path', 'no-tokens', 'mailbox-full', 'clock-wrong', 'mailbox-away']),
  ),
  attempts: z.int(),
  next_at: Instant,
  expires_at: Instant,
})
export type OutboxView = z.infer<typeof OutboxView>

/** Where a message stands at one device of its recipient. */
export const DeviceStateView = z.object({
  device: z.string(),
  state: MessageState,
  /** Why it failed: a code. */
  reason: z.nullable(z.string()),
  /** Since when; null while it is on its way. */
  at: z.nullable(Instant),
})
export type DeviceStateView = z.infer<typeof DeviceStateView>

export const StatesView = z.object({
  id: z.string(),
  /** The device of ours that has sent it, which alone knows of all; `name` is null where it is ours no more. */
  sent_by: z.nullable(z.object({ device: z.string(), name: z.nullable(z.string()), here: z.boolean() })),
  devices: z.array(DeviceStateView),
})
export type StatesView = z.infer<typeof StatesView>
