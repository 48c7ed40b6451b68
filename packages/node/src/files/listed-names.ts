/**
 * Names of a folder as they are listed: what cannot stand in a list gets another name there. A backslash becomes another
 * sign, and a byte that is no UTF-8 is written as `%FF`, so that nothing is left out, and two stay two.
 */
import { isUtf8 } from 'node:buffer'
import { existsSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { numberedName } from '@skein/core/files'

/** A name or path on the disk: its bytes, where they are no text. */
export type OnDisk = string | Buffer

const UNFIT = /[\\]/g
/** What Node.js puts in place of bytes that are no text. */
const LOST = '\ufffd'
/** Of one sign in UTF-8. */
const WIDTHS = [1, 2, 3, 4]

/** @throws NodeJS.ErrnoException */
export function namesIn(folder: OnDisk): readonly OnDisk[] {
  const names = readdirSync(folder)
  if (!names.some((name) => name.includes(LOST))) return names
  return readdirSync(folder, { encoding: 'buffer' }).map((name) => (isUtf8(name) ? name.toString() : name))
}

/** What lies in a folder. */
export function pathIn(folder: OnDisk, name: OnDisk): OnDisk {
  if (typeof folder === 'string' && typeof name === 'string') return join(folder, name)
  return Buffer.concat([Buffer.from(folder), Buffer.from(sep), Buffer.from(name)])
}

/** By name in the list, in order; the same names are always listed alike. */
export function listedNames(names: readonly OnDisk[]): ReadonlyMap<string, OnDisk> {
  const sorted = names.map((name) => ({ name, text: textOf(name) })).sort(inOrder)
  const listed = new Map<string, OnDisk>(sorted.filter(isFit).map(({ name, text }) => [text, name]))
  for (const each of sorted) {
    if (isFit(each)) continue
    const fit = each.text.replaceAll(UNFIT, '_')
    let count = 1
    while (listed.has(numberedName(fit, count))) count += 1
    listed.set(numberedName(fit, count), each.name)
  }
  return listed
}

interface Named {
  readonly name: OnDisk
  readonly text: string
}

const isFit = ({ name, text }: Named): boolean => typeof name === 'string' && text.search(UNFIT) < 0

function inOrder(one: Named, other: Named): number {
  if (one.text !== other.text) return one.text < other.text ? -1 : 1
  return typeof one.name === typeof other.name ? 0 : typeof one.name === 'string' ? -1 : 1
}

/** Sign for sign, and each byte that begins none by its number. */
function textOf(name: OnDisk): string {
  if (typeof name === 'string') return name
  let text = ''
  for (let at = 0; at < name.length; ) {
    const width = WIDTHS.find((each) => at + each <= name.length && isUtf8(name.subarray(at, at + each)))
    text += width === undefined ? `%${(name[at] ?? 0).toString(16).toUpperCase()}` : name.toString('utf8', at, at + width)
    at += width ?? 1
  }
  return text
}

/** Where on the disk what is listed is. A folder is looked at once: many names in it may be others there. */
export class ListedPaths {
  private readonly folders = new Map<string, ReadonlyMap<string, OnDisk>>()

  /** @param segments below `root` @returns `undefined` when it is not there @throws NodeJS.ErrnoException */
  find(root: string, segments: readonly string[]): OnDisk | undefined {
    let path: OnDisk = root
    for (const segment of segments) {
      const name: OnDisk | undefined = existsSync(pathIn(path, segment)) ? segment : this.namesOf(path).get(segment)
      if (name === undefined) return undefined
      path = pathIn(path, name)
    }
    return path
  }

  private namesOf(folder: OnDisk): ReadonlyMap<string, OnDisk> {
    const key = Buffer.from(folder).toString('latin1')
    const names = this.folders.get(key) ?? listedNames(namesIn(folder))
    this.folders.set(key, names)
    return names
  }
}
