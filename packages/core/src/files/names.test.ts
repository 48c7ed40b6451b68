import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { FolderEntry } from '../wire/files.ts'
import { layOut, spansOf } from './folder-layout.ts'
import { foldedName, numberedName, safeName } from './safe-names.ts'

const file = (path: string, size = 1): FolderEntry => ({ path: path.split('/'), kind: 'file', size, modifiedAt: 0, executable: false })
const folder = (path: string): FolderEntry => ({ ...file(path, 0), kind: 'folder' })
const namesOf = (entries: readonly FolderEntry[]): string[] =>
  layOut(
    entries,
    entries.reduce((sum, { size }) => sum + size, 0),
  ).entries.map(({ path }) => path.join('/'))
const refused = expect.objectContaining({ code: 'BAD_FRAME' })

describe('safe names', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['a/b\\c', 'a_b_c'],
    ['..', 'file'],
    ['', 'file'],
    ['...', 'file'],
    [' x ', 'x'],
    ['x. . ', 'x'],
    ['con', '_con'],
    ['NUL.txt', '_NUL.txt'],
    ['COM1', '_COM1'],
    ['console', 'console'],
    ['a:b*c?d"e<f>g|h', 'a_b_c_d_e_f_g_h'],
    ['bell\u0007', 'bell_'],
    ['exe\u202egpj.txt', 'exe_gpj.txt'],
    ['A\u030angstro\u0308m', '\u00c5ngstr\u00f6m'],
    ['.hidden', '.hidden'],
    ['日本語 🎉.tar.gz', '日本語 🎉.tar.gz'],
  ])('[FI17] %j becomes %j', (given, safe) => {
    expect(safeName(given)).toBe(safe)
  })

  it('[FI17] any text becomes a name that leads nowhere, is short, and stays the same when it is made safe again', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (given) => {
        const safe = safeName(given)
        expect(safe).not.toMatch(/[/\\\0]/)
        expect(['', '.', '..']).not.toContain(safe)
        expect(new TextEncoder().encode(safe).length).toBeLessThanOrEqual(240)
        expect(safeName(safe)).toBe(safe)
      }),
      { numRuns: 2_000 },
    )
  })

  it('[FI17] where a long name is cut it does not end with what Windows drops', () => {
    const long = safeName(`${'x'.repeat(239)}. ${'y'.repeat(100)}`)
    expect(long).toBe('x'.repeat(239))
    expect(safeName(long)).toBe(long)
  })

  it('[FI16] numbers stand before the extension', () => {
    expect([1, 2].map((count) => numberedName('a.txt', count))).toEqual(['a.txt', 'a (2).txt'])
    expect(numberedName('a.tar.gz', 3)).toBe('a (3).tar.gz')
    expect(numberedName('.profile', 2)).toBe('.profile (2)')
    expect(numberedName('README', 2)).toBe('README (2)')
  })

  it('names that differ in case or form alone are one', () => {
    expect(foldedName('STRASSE')).toBe(foldedName('straße'))
    expect(foldedName('A\u030a')).toBe(foldedName('å'))
  })
})

describe('the layout of a folder', () => {
  it.each(['../x', 'a/../x', '/x', 'a//x', '.', 'a/./x', 'a\\x', 'a\0'])('[FI16] the path %j is refused', (path) => {
    expect(() => layOut([file(path)], 1)).toThrow(refused)
  })

  it('[FI16] the same path twice, and a file that is a folder too, are refused', () => {
    expect(() => layOut([file('a'), file('a')], 2)).toThrow(refused)
    expect(() => layOut([file('a'), file('a/b')], 2)).toThrow(refused)
    expect(() => layOut([file('a/b'), file('a')], 2)).toThrow(refused)
    expect(() => layOut([folder('a'), file('a')], 1)).toThrow(refused)
  })

  it('[FI3] sizes that do not add up, and folders with bytes, are refused', () => {
    expect(() => layOut([file('a', 5)], 6)).toThrow(refused)
    expect(() => layOut([{ ...folder('a'), size: 1 }], 1)).toThrow(refused)
    expect(() => layOut([file('a', 2 ** 53)], 1)).toThrow(refused)
  })

  it('[FI17] names that differ in case, in form, or only before they are made safe stay apart', () => {
    expect(namesOf([file('a'), file('A'), file('å'), file('A\u030a'), file('x:y'), file('x*y')])).toEqual([
      'a',
      'A (2)',
      'å',
      'Å (2)',
      'x_y',
      'x_y (2)',
    ])
    expect(namesOf([folder('Dir'), file('Dir/a'), file('dir/a')])).toEqual(['Dir', 'Dir/a', 'dir (2)/a'])
  })

  it('[FI17] names without number that fold to one are told apart, each by the next number', () => {
    const cases = 2 ** 14
    const nameOf = (bits: number): string =>
      [...'abcdefghijklmn'].map((letter, at) => ((bits >> at) & 1 ? letter.toUpperCase() : letter)).join('')
    const names = namesOf(Array.from({ length: cases }, (_, bits) => file(nameOf(bits))))
    expect(new Set(names.map(foldedName)).size).toBe(cases)
    expect(names.at(-1)).toBe(`ABCDEFGHIJKLMN (${cases})`)
  })

  it('[FI17] paths of more than 64 levels are refused', () => {
    const deep = Array.from({ length: 64 }, () => 'd').join('/')
    expect(namesOf([file(deep)])).toEqual([deep])
    expect(() => layOut([file(`${deep}/d`)], 1)).toThrow(refused)
  })

  it('[FI3] spans of any cut are the content, in order, each byte once', () => {
    const cut = fc.tuple(fc.array(fc.nat(40), { maxLength: 30 }), fc.integer({ min: 1, max: 50 }))
    fc.assert(
      fc.property(cut, ([sizes, chunk]) => {
        const total = sizes.reduce((sum, size) => sum + size, 0)
        const layout = layOut(
          sizes.map((size, at) => file(`f${at}`, size)),
          total,
        )
        const seen: string[] = []
        for (let offset = 0; offset < total; offset += chunk)
          for (const span of spansOf(layout, offset, Math.min(chunk, total - offset)))
            for (let byte = 0; byte < span.length; byte += 1) seen.push(`${span.entry}:${span.offset + byte}`)
        expect(seen).toEqual(sizes.flatMap((size, entry) => Array.from({ length: size }, (_, byte) => `${entry}:${byte}`)))
      }),
    )
  })
})
