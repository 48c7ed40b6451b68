import { HOLDING, HOPELESS } from '@skein/core/files'
import type { TransferView } from '@skein/node/api'
import { transferView } from '@skein/node/testing'
import { expect, it } from 'vitest'
import { reasonOf } from './transfer-reasons.ts'
import { described } from './transfer-text.ts'

const WAITS = ['there', 'paused-there', 'source-away', 'silent', 'elsewhere', 'replaced', 'mailed', 'expired', 'taken-back', 'not-anew']

it.each([...new Set([...Object.values(HOLDING), ...HOPELESS, ...WAITS, 'TRANSFER_UNKNOWN'])])(
  '[CL6] %s is said in a sentence',
  (reason) => {
    const said = described(transferView({ state: 'failed', reason }))
    expect(said.split('\n')[1]).toMatch(/^ {4}[A-Z].*\.$/)
    expect(said).not.toContain('The other side says')
    expect(said).toContain(`failed (${reason})`)
  },
)

it('[CL6] what has changed is offered by itself; a place in the queue is said; what a newer program says is shown as it is', () => {
  const said = (change: Partial<TransferView>) => reasonOf(transferView(change))
  expect(said({ reason: 'FILE_CHANGED', offered_anew: true })).toContain('offered by itself')
  expect(said({ reason: 'toString' })).toBe('The other side says: toString.')
  expect(said({})).toBeUndefined()
  expect(said({ state: 'waiting', queue: 3 })).toContain('number 3 in')
  expect(said({ state: 'waiting', queue: 20 })).toContain('number 20 or later in')
})

it('[CL2] [CL6] where it was put is said below it, on one line', () => {
  const lines = described(transferView({ state: 'done', path: '/in/same\n(2).txt' })).split('\n')
  expect(lines).toHaveLength(2)
  expect(lines[1]).toContain('(2).txt')
})

it('[FI75] of what grows there is how much has come and how fast, and no share of the whole', () => {
  const growing = { growing: true, bytes: 3_145_728, total: 5_242_880, rate: 2_000_000 }
  const said = described(transferView({ ...growing, state: 'running' }))
  expect(said).toContain('3.1 MB so far  running  2.0 MB/s')
  expect(said).not.toContain('%')
  expect(described(transferView({ ...growing, bytes: 0, state: 'offered' }))).toContain('5.2 MB so far  offered')
  expect(described(transferView({ state: 'failed', reason: 'PIPE_BROKEN' }))).toContain('broken off before its end')
})
