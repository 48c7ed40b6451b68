/** What the client that runs is told of a pipe. */
import { SkeinError } from '@skein/core'
import type { TransferView } from '@skein/node/api'
import { transferView } from '@skein/node/testing'
import { expect, it } from 'vitest'
import { sendGrowing } from './growing.ts'

const MIB = 1_048_576

interface Word {
  readonly bytes: number
  readonly ended: boolean
}

/** A client that answers as `answer` says, and has broken nothing off. */
function client(answer: (word: Word, told: number) => void) {
  const told: Word[] = []
  async function* answers(): AsyncGenerator<{ transfers: TransferView[] }> {
    yield { transfers: [transferView({})] }
    await new Promise(() => undefined)
  }
  const grown = async ({ bytes, ended }: Word): Promise<void> => {
    told.push({ bytes, ended })
    answer({ bytes, ended }, told.length)
  }
  return { told, api: { sendStream: async () => answers(), grown } as unknown as Parameters<typeof sendGrowing>[0] }
}

it('[FI74] what the client could not keep just now is told again', async () => {
  let again: () => void = () => undefined
  const isTold = new Promise<void>((resolve) => (again = resolve))
  const { api, told } = client((_word, count) => {
    if (count === 1) throw new SkeinError('DISK_FULL', 'The disk is full.')
    again()
  })
  const growing = await sendGrowing(api, { contacts: ['bo'], path: '/pipe' })
  growing.grown(2.5 * MIB)
  await isTold
  await growing.ended(3 * MIB)
  expect(growing.signal.aborted).toBe(false)
  expect(told.map(({ bytes, ended }) => [bytes / MIB, ended])).toEqual([
    [2.5, false],
    [2.5, false],
    [3, true],
  ])
})

it('[FI71] what has become more than can be sent is read no further', async () => {
  const { api } = client(() => {
    throw new SkeinError('FILE_TOO_LARGE', 'That is too much.')
  })
  const { grown, signal } = await sendGrowing(api, { contacts: ['bo'], path: '/pipe' })
  const over = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  grown(2.5 * MIB)
  await over
  expect(signal.reason).toMatchObject({ code: 'FILE_TOO_LARGE' })
})
