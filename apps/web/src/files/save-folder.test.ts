import { describe, expect, it } from 'vitest'
import { saveInto, saveOnto } from './save-folder.ts'

/** As Chromium refuses what Windows does more with than open it. */
function refuse(name: string): void {
  if (/\.(url|lnk|local|scf)$/i.test(name)) throw new TypeError('Name is not allowed.')
}

/** A folder on the user's disk, as a page gets hold of it. */
class Folder {
  readonly entries = new Map<string, Folder | { text: string }>()

  async getFileHandle(name: string, { create = false } = {}): Promise<{ text: string }> {
    refuse(name)
    const found = this.entries.get(name) ?? (create ? { text: '' } : undefined)
    if (found === undefined) throw new DOMException('none', 'NotFoundError')
    if (found instanceof Folder) throw new DOMException('a folder', 'TypeMismatchError')
    this.entries.set(name, found)
    return found
  }

  async getDirectoryHandle(name: string, { create = false } = {}): Promise<Folder> {
    refuse(name)
    const found = this.entries.get(name) ?? (create ? new Folder() : undefined)
    if (found === undefined) throw new DOMException('none', 'NotFoundError')
    if (!(found instanceof Folder)) throw new DOMException('a file', 'TypeMismatchError')
    this.entries.set(name, found)
    return found
  }

  async removeEntry(name: string): Promise<void> {
    this.entries.delete(name)
  }

  get all(): readonly string[] {
    return [...this.entries]
      .flatMap(([name, each]) => {
        if (!(each instanceof Folder)) return [`${name}: ${each.text}`]
        return each.entries.size === 0 ? [`${name}/`] : each.all.map((inner) => `${name}/${inner}`)
      })
      .sort()
  }
}

const saved = async (folder: Folder, paths: readonly string[]): Promise<readonly string[]> =>
  saveInto(
    folder as unknown as FileSystemDirectoryHandle,
    paths.map((path) =>
      path.endsWith('/')
        ? { path: path.slice(0, -1).split('/'), content: undefined }
        : { path: path.split('/'), content: new File([path], 'a') },
    ),
    async (file, content) => void ((file as unknown as { text: string }).text = await content.text()),
  )

describe('a folder that is saved', () => {
  it('[FI16] stands beside what has its name, all of it under one number', async () => {
    const folder = new Folder()
    await saved(folder, ['top/a', 'top/deep/b', 'c.txt'])
    await saved(folder, ['top/a', 'c.txt'])
    expect(folder.all).toEqual(['c (2).txt: c.txt', 'c.txt: c.txt', 'top (2)/a: top/a', 'top/a: top/a', 'top/deep/b: top/deep/b'])
  })

  it('has folders with nothing in them', async () => {
    const folder = new Folder()
    await saved(folder, ['top/', 'top/empty/', 'top/a', 'top/deep/none/', 'alone/'])
    expect(folder.all).toEqual(['alone/', 'top/a: top/a', 'top/deep/none/', 'top/empty/'])
  })

  it('[FI16] does not go into a file, and no file onto a folder', async () => {
    const folder = new Folder()
    await saved(folder, ['one', 'two/a'])
    await saved(folder, ['one/a', 'two'])
    expect(folder.all).toEqual(['one (2)/a: one/a', 'one: one', 'two (2): two', 'two/a: two/a'])
  })

  it('[FI60] has another name where the browser refuses its own, which nothing else of it has', async () => {
    const folder = new Folder()
    const paths = ['top/a.url', 'top/a.url_', 'top/deep.lnk/b', 'top/deep.lnk/c.LNK', 'x.url', 'x.url_', 'plain']
    expect(await saved(folder, paths)).toEqual(['a (2).url_', 'deep.lnk_', 'c.LNK_', 'x (2).url_'])
    expect(folder.all).toEqual([
      'plain: plain',
      'top/a (2).url_: top/a.url',
      'top/a.url_: top/a.url_',
      'top/deep.lnk_/b: top/deep.lnk/b',
      'top/deep.lnk_/c.LNK_: top/deep.lnk/c.LNK',
      'x (2).url_: x.url',
      'x.url_: x.url_',
    ])
  })

  it('[FI48] leaves nothing where it cannot be written, and what was there before', async () => {
    const folder = new Folder()
    await saved(folder, ['top/a'])
    const files = ['top/a', 'top/b', 'c'].map((path) => ({ path: path.split('/'), content: new File([path], 'a') }))
    let left = 2
    const write = async (): Promise<void> => {
      left -= 1
      if (left < 0) throw new DOMException('full', 'QuotaExceededError')
    }
    await expect(saveInto(folder as unknown as FileSystemDirectoryHandle, files, write)).rejects.toMatchObject({ code: 'not-saved' })
    expect(folder.all).toEqual(['top/a: top/a'])
  })
})

it('[FI48] a file that cannot be written does not stay empty under its name', async () => {
  const removed: string[] = []
  const handle = { remove: async () => void removed.push('file') } as unknown as FileSystemFileHandle
  const write = (): Promise<void> => Promise.reject(new DOMException('full', 'QuotaExceededError'))
  await expect(saveOnto(handle, new Blob(['a']), write)).rejects.toMatchObject({ code: 'not-saved' })
  expect(removed).toEqual(['file'])
})
