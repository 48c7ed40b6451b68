import type { TransferView } from '@skein/node/browser'
import { describe, expect, it } from 'vitest'
import { FILE_STRINGS } from '../strings/file-strings.ts'
import { filesIn } from './choosing.ts'
import { withTransfer } from './transfers.ts'

const transfer = (id: string, change: Partial<TransferView> = {}): TransferView => ({
  transfer: id,
  contact: 'ana',
  contact_name: 'Ana',
  direction: 'in',
  state: 'offered',
  reason: null,
  name: 'a',
  media_type: '',
  entries: 0,
  bytes: 0,
  total: 1,
  moved: 0,
  rate: 0,
  left_ms: null,
  sha256: null,
  path: null,
  created_at: 1,
  updated_at: 1,
  ...change,
})

describe('transfers after an event', () => {
  const all = [transfer('a'), transfer('a', { direction: 'out' })]

  it('one that is known stays in its place, of the same direction alone', () => {
    const after = withTransfer(all, transfer('a', { state: 'done', direction: 'out' }))
    expect(after.map(({ direction, state }) => [direction, state])).toEqual([
      ['in', 'offered'],
      ['out', 'done'],
    ])
  })

  it('a new one stands first', () => {
    expect(withTransfer(all, transfer('b')).map((each) => each.transfer)).toEqual(['b', 'a', 'a'])
  })
})

it('files of a folder have the folders in their paths', () => {
  const inFolder = Object.assign(new File(['x'], 'b.txt'), { webkitRelativePath: 'top/deep/b.txt' })
  const alone = Object.assign(new File(['x'], 'a.txt'), { webkitRelativePath: '' })
  expect(filesIn([alone, inFolder]).map(({ path }) => path)).toEqual([['a.txt'], ['top', 'deep', 'b.txt']])
})

it('every language of the part for files has the same texts', () => {
  const keysOf = (value: object): string[] =>
    Object.entries(value).flatMap(([key, each]) =>
      typeof each === 'object' ? keysOf(each as object).map((inner) => `${key}.${inner}`) : [`${key}: ${typeof each}`],
    )
  const [first, ...others] = Object.values(FILE_STRINGS)
  for (const each of others) expect(keysOf(each)).toEqual(keysOf(first ?? {}))
})
