import type { MailboxStore } from '@skein/core'
import type { RelayStack } from '@skein/node/swarm'
import { expect, it } from 'vitest'
import { DEFAULT_SETTINGS } from '../settings.ts'
import { type MailboxOptions, openMailbox } from './open-mailbox.ts'

it('[RL15] a database that is away takes no figure with it, and is named until it answers again', async () => {
  let isThere = true
  const totals = async () => {
    if (!isThere) throw new Error('ECONNREFUSED')
    return { envelopes: 3, bytes: 300 }
  }
  const store = { totals, sweep: async () => undefined } as unknown as MailboxStore
  const stack = { peerId: 'relay', serveChannel: async () => undefined } as unknown as RelayStack
  const ignore = (): void => undefined
  const logger: MailboxOptions['logger'] = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => logger }
  const options = { store, logger, seed: new Uint8Array(32), limits: () => DEFAULT_SETTINGS.limits, onRefused: ignore, pace: () => 0 }
  await using mailbox = await openMailbox(stack, options)
  expect([await mailbox.totals(), mailbox.isAway()]).toEqual([{ envelopes: 3, bytes: 300 }, false])
  isThere = false
  expect([await mailbox.totals(), mailbox.isAway()]).toEqual([{ envelopes: 0, bytes: 0 }, true])
  isThere = true
  await mailbox.totals()
  expect(mailbox.isAway()).toBe(false)
})
