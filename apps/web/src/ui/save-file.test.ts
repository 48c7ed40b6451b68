import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { saveFile } from './save-file.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

it('a file that is saved is there for the browser to read long after the click, and the link was in the page', () => {
  const page = new Set<unknown>()
  const clicked: boolean[] = []
  const link = { href: '', download: '', hidden: false, click: () => clicked.push(page.has(link)), remove: () => page.delete(link) }
  vi.stubGlobal('document', { createElement: () => link, body: { append: (each: unknown) => page.add(each) } })
  const revoke = vi.spyOn(URL, 'revokeObjectURL')
  saveFile(new Blob(['a backup']), 'a.age')
  expect([clicked, page.size, link.download]).toEqual([[true], 0, 'a.age'])
  vi.advanceTimersByTime(59_000)
  expect(revoke).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1_000)
  expect(revoke).toHaveBeenCalledWith(link.href)
})
