import { afterEach, describe, expect, it, vi } from 'vitest'
import { pastedIn, walk } from './choosing.ts'
import { slicesOf } from './slices.ts'

/** What browsers give of what was dropped. */
class Entry {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}
class FileEntry extends Entry {
  file(take: (file: File) => void): void {
    take(new File(['x'], this.name))
  }
}
class FolderEntry extends Entry {
  private readonly within: readonly Entry[]
  constructor(name: string, ...within: readonly Entry[]) {
    super(name)
    this.within = within
  }

  createReader() {
    const left = [...this.within]
    return { readEntries: (take: (some: readonly Entry[]) => void) => take(left.splice(0, 1)) }
  }
}

afterEach(() => vi.unstubAllGlobals())

it('[FI33] folders with nothing in them are chosen too', async () => {
  vi.stubGlobal('FileSystemFileEntry', FileEntry)
  vi.stubGlobal('FileSystemDirectoryEntry', FolderEntry)
  const top = new FolderEntry('top', new FolderEntry('empty'), new FolderEntry('deep', new FileEntry('a'), new FolderEntry('none')))
  const found = await walk({ entries: [top, new FileEntry('b')] as unknown as FileSystemEntry[], files: [] })
  expect(found.map(({ path, file }) => `${path.join('/')}${file === undefined ? '/' : ''}`)).toEqual([
    'top/empty/',
    'top/deep/a',
    'top/deep/none/',
    'b',
  ])
  const alone = await walk({ entries: [new FolderEntry('alone')] as unknown as FileSystemEntry[], files: [] })
  expect(alone).toEqual([{ path: ['alone'], file: undefined }])
})

it('[FI33] many names go in slices, each of which fits a request', () => {
  const files = Array.from({ length: 7_000 }, (_, at) => ({ path: ['folder', `file number ${at}`], file: new File([], 'a') }))
  const slices = slicesOf(files)
  expect(slices.flat()).toEqual(files)
  expect(slices.length).toBeGreaterThan(1)
  for (const each of slices) {
    const names = each.map(({ path }) => ({ path, modified: 1_577_880_000_000 }))
    expect(JSON.stringify(names).length).toBeLessThan(65_536)
  }
  expect(slicesOf([])).toEqual([])
})

describe('what is pasted', () => {
  const fileOf = (name: string): File => Object.assign(new File(['x'], name), { webkitRelativePath: '' })

  /** A clipboard of texts by their types, with files beside. */
  const pasted = (texts: Readonly<Record<string, string>>, ...names: readonly string[]): readonly string[] => {
    const types = [...Object.keys(texts), ...(names.length > 0 ? ['Files'] : [])]
    const data = { types, files: names.map(fileOf), getData: (type: string) => texts[type] ?? '' }
    return pastedIn(data as unknown as DataTransfer).map(({ path }) => path.join('/'))
  }

  it('[UI32] cells and paragraphs, of which there is a picture beside, are text', () => {
    expect(pasted({ 'text/plain': 'a\tb', 'text/html': '<table>' }, 'image.png')).toEqual([])
    expect(pasted({ 'text/plain': 'word', 'text/rtf': '{' }, 'image.png')).toEqual([])
    expect(pasted({ 'text/plain': 'word' })).toEqual([])
  })

  it('[UI32] files, beside which file managers put their names, and pictures of pages are files', () => {
    expect(pasted({ 'text/plain': 'a.txt', 'text/uri-list': 'file:///a.txt' }, 'a.txt', 'b.txt')).toEqual(['a.txt', 'b.txt'])
    expect(pasted({ 'text/html': '<img>', 'text/plain': '' }, 'image.png')).toEqual(['image.png'])
    expect(pasted({}, 'image.png')).toEqual(['image.png'])
  })
})
