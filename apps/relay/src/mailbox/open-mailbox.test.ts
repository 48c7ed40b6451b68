import type { MailboxStore } from '@skein/core'
import type { RelayStack } from '@skein/node/swarm'
import { afterEach, expect, it, vi } from 'vitest'
import { DEFAULT_SETTINGS } from '../settings.ts'
import { type MailboxOptions, openMailbox } from './open-mailbox.ts'

const stack = { peerId: 'relay', serveChannel: async () => undefined } as unknown as RelayStack
const logged: unknown[] = []
const ignore = (): void => undefined
const note = (error: unknown): void => void logged.push((error as { readonly code: string }).code)
const logger: MailboxOptions['logger'] = {
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: (event, fields) => void logged.push([event, fields?.['code']]),
  child: () => logger,
}

function optionsWith(store: MailboxStore, past = 0): MailboxOptions {
  const limits = () => DEFAULT_SETTINGS.limits
  return {
    store,
    logger,
    limits,
    seed: new Uint8Array(32),
    onRefused: ignore,
    onOffence: ignore,
    onTrouble: note,
    pace: () => 0,
    past: () => past,
  }
}

afterEach(() => void vi.useRealTimers())

it('[RL15] a database that is away takes no figure with it, and is named until it answers again', async () => {
  let isThere = true
  const totals = async () => {
    if (!isThere) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })
    return { envelopes: 3, bytes: 300 }
  }
  await using mailbox = await openMailbox(stack, optionsWith({ totals } as unknown as MailboxStore))
  expect([await mailbox.totals(), mailbox.isAway()]).toEqual([{ envelopes: 3, bytes: 300 }, false])
  isThere = false
  expect([await mailbox.totals(), mailbox.isAway()]).toEqual([{ envelopes: 0, bytes: 0 }, true])
  isThere = true
  await mailbox.totals()
  expect(mailbox.isAway()).toBe(false)
  expect(logged.splice(0)).toEqual(['ECONNREFUSED'])
})

it('[RL24] mail is removed by what has surely passed, not at the start, and the log says what keeps it from that', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const swept: number[] = []
  const sweep = async (past: number): Promise<void> => {
    swept.push(past)
    throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  }
  await using _ = await openMailbox(stack, optionsWith({ sweep } as unknown as MailboxStore, 5_000))
  expect(swept).toEqual([])
  vi.advanceTimersByTime(600_000)
  expect(swept).toEqual([5_000])
  vi.useRealTimers()
  await vi.waitFor(() => expect(logged).toEqual(['SQLITE_FULL', ['mail-not-swept', 'SQLITE_FULL']]))
})
