import { HOLDING, HOPELESS, MAX_PLACES_TOLD } from '@skein/core/files'
import type { TransferView } from '@skein/node/browser'
import { transferView } from '@skein/node/testing'
import { describe, expect, it, vi } from 'vitest'
import type { ClientModel } from '../client/model.ts'
import { FILE_STRINGS } from '../strings/file-strings.ts'
import { filesIn } from './choosing.ts'
import { isOnDisk } from './places.ts'
import { reasonText } from './reason-text.ts'
import { receivingFolderOf } from './receiving-folder.ts'
import { withEvent } from './transfers.ts'

const transfer = (id: string, change: Partial<TransferView> = {}): TransferView => transferView({ transfer: id, ...change })

it('[FI22] the last place that is told stands for all behind it', () => {
  const said = (place: number) => Object.values(FILE_STRINGS).map(({ queued }) => queued(place))
  for (const words of said(MAX_PLACES_TOLD - 1)) expect(words).not.toMatch(/or later|oder später/)
  for (const words of said(MAX_PLACES_TOLD)) expect(words).toMatch(/20 (or later|oder später) in /)
})

describe('transfers after an event', () => {
  const all = [transfer('a'), transfer('a', { direction: 'out' })]

  it('one that is known stays in its place, of the same direction alone', () => {
    const after = withEvent(all, { event: 'transfer', ...transfer('a', { state: 'done', direction: 'out' }) })
    expect(after.map(({ direction, state }) => [direction, state])).toEqual([
      ['in', 'offered'],
      ['out', 'done'],
    ])
  })

  it('a new one stands first', () => {
    expect(withEvent(all, { event: 'transfer', ...transfer('b') }).map((each) => each.transfer)).toEqual(['b', 'a', 'a'])
  })
})

it('transfers of a conversation that was deleted go with it', () => {
  const all = [transfer('a'), transfer('b', { contact: 'bo' })]
  expect(withEvent(all, { event: 'cleared', contact: 'ana' }).map((each) => each.transfer)).toEqual(['b'])
  expect(withEvent(all, { event: 'typing', contact: 'ana', active: true })).toBe(all)
})

it('what a program has put on a disk is told from what a browser keeps', () => {
  expect(['/media/stick/a', 'C:\\files\\a', 'd:/a', '\\\\server\\share\\a'].map(isOnDisk)).toEqual([true, true, true, true])
  expect(['received/a', 'received/C: a'].map(isOnDisk)).toEqual([false, false])
})

it('[DW26] where files go is read from the program behind the page, and set there, by a whole path', async () => {
  const kept = { filesFolder: '/srv/in' }
  const api = {
    config: async () => ({ filesFolder: { value: kept.filesFolder, origin: 'file' } }),
    configure: async (change: Partial<typeof kept>) => Object.assign(kept, change),
  }
  const model = { get: () => ({ api }), subscribe: () => () => undefined } as unknown as ClientModel
  const folder = receivingFolderOf(model)
  await vi.waitFor(() => expect(folder.get()).toBe('/srv/in'))
  await expect(folder.choose('in')).rejects.toMatchObject({ code: 'no-folder' })
  await folder.choose(' /media/large ')
  expect([folder.get(), kept.filesFolder, receivingFolderOf(model)]).toEqual(['/media/large', '/media/large', folder])
})

it('files of a folder have the folders in their paths', () => {
  const inFolder = Object.assign(new File(['x'], 'b.txt'), { webkitRelativePath: 'top/deep/b.txt' })
  const alone = Object.assign(new File(['x'], 'a.txt'), { webkitRelativePath: '' })
  expect(filesIn([alone, inFolder]).map(({ path }) => path)).toEqual([['a.txt'], ['top', 'deep', 'b.txt']])
})

describe('the reason of a transfer', () => {
  const all = Object.values(FILE_STRINGS)

  it.each([...new Set([...HOPELESS, ...Object.values(HOLDING), 'TRANSFER_UNKNOWN'])])('[UI31] %s has a sentence', (reason) => {
    for (const words of all) expect(reasonText(words, reason)).not.toContain(reason)
  })

  it.each(['STORE_CORRUPT', 'DEVICE_REVOKED', 'KEYS_CHANGED', 'toString'])('[UI31] %s is what the other side says', (reason) => {
    for (const words of all) expect(reasonText(words, reason)).toBe(words.otherReason(reason))
  })
})

it('every language of the part for files has the same texts', () => {
  const keysOf = (value: object): string[] =>
    Object.entries(value).flatMap(([key, each]) =>
      typeof each === 'object' ? keysOf(each as object).map((inner) => `${key}.${inner}`) : [`${key}: ${typeof each}`],
    )
  const [first, ...others] = Object.values(FILE_STRINGS)
  for (const each of others) expect(keysOf(each)).toEqual(keysOf(first ?? {}))
})
