import { crc32 as reference } from 'node:zlib'
import { expect, it } from 'vitest'
import { archiveOf, archiveParts, type CheckedFile } from './archive.ts'
import { crc32 } from './crc32.ts'

const AT = Date.UTC(2024, 5, 1, 12, 30, 7)
const file = (path: string, content: Blob | undefined, executable = false): Omit<CheckedFile, 'check'> => ({
  ...{ path: path.split('/'), content, modifiedAt: AT, executable },
})

interface Row {
  readonly name: string
  readonly size: number
  readonly offset: number
  readonly check: number
  readonly mode: number
}

/** As programs read an archive: from its end. @param at where in the archive `bytes` begin */
function rowsOf(bytes: Uint8Array, at = 0): readonly Row[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const [two, four, eight] = [
    (from: number) => view.getUint16(from - at, true),
    (from: number) => view.getUint32(from - at, true),
    (from: number) => Number(view.getBigUint64(from - at, true)),
  ]
  const end = at + bytes.length - 22
  expect(four(end)).toBe(0x06054b50)
  const isLarge = four(end + 16) === 0xffffffff || two(end + 10) === 0xffff
  const far = isLarge ? eight(end - 20 + 8) : 0
  let [from, count] = isLarge ? [eight(far + 48), eight(far + 32)] : [four(end + 16), two(end + 10)]
  const rows: Row[] = []
  for (; count > 0; count -= 1) {
    if (four(from) !== 0x02014b50) throw new Error(`no row at ${from}`)
    const [nameBytes, extraBytes] = [two(from + 28), two(from + 30)]
    const name = new TextDecoder().decode(bytes.subarray(from + 46 - at, from + 46 - at + nameBytes))
    let extra = from + 46 + nameBytes + 4
    const [size = 0, , offset = 0] = [four(from + 24), four(from + 20), four(from + 42)].map((each) => {
      if (each !== 0xffffffff) return each
      extra += 8
      return eight(extra - 8)
    })
    rows.push({ name, size, offset, check: four(from + 16), mode: four(from + 38) >>> 16 })
    from += 46 + nameBytes + extraBytes
  }
  return rows
}

it('[FI51] an archive has files, folders with nothing in them, times and rights, and the bytes behind each header', async () => {
  const parts = [
    file('top', undefined),
    file('top/größe.txt', new Blob(['hello'])),
    file('top/none', undefined),
    file('run', new Blob(['#!/bin/sh']), true),
  ]
  const archive = new Uint8Array(await (await archiveOf(parts)).arrayBuffer())
  const rows = rowsOf(archive)
  expect(rows.map(({ name, size, mode }) => [name, size, mode.toString(8)])).toEqual([
    ['top/', 0, '40755'],
    ['top/größe.txt', 5, '100644'],
    ['top/none/', 0, '40755'],
    ['run', 9, '100755'],
  ])
  const texts = rows.map(({ offset, size, check }) => {
    const header = new DataView(archive.buffer, offset)
    expect(header.getUint32(0, true)).toBe(0x04034b50)
    const from = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true)
    const bytes = archive.subarray(from, from + size)
    expect(check).toBe(reference(bytes))
    return new TextDecoder().decode(bytes)
  })
  expect(texts).toEqual(['', 'hello', '', '#!/bin/sh'])
})

it('[FI51] what is beyond four gigabytes, or 65,535 files, has fields that are large enough', () => {
  const large = { size: 5_000_000_000 } as Blob
  const none = new Blob()
  const files = [...['a', 'b'].map((name) => file(name, large)), ...Array.from({ length: 65_536 }, (_, at) => file(`c/${at}`, none))]
  const parts = archiveParts(files.map((each) => ({ ...each, check: 7 })))
  const lengthOf = (part: unknown): number => (part === large ? large.size : part instanceof Blob ? part.size : (part as Uint8Array).length)
  const second = parts.lastIndexOf(large)
  const before = parts.slice(0, second + 1).reduce((sum: number, part) => sum + lengthOf(part), 0)
  const behind = parts.slice(second + 1).filter((part) => !(part instanceof Blob)) as Uint8Array[]
  const rows = rowsOf(new Uint8Array(Buffer.concat(behind)), before)
  expect(rows).toHaveLength(65_538)
  expect(rows.slice(0, 3)).toMatchObject([
    { name: 'a', size: 5_000_000_000, offset: 0, check: 7 },
    { name: 'b', size: 5_000_000_000 },
    { name: 'c/0', size: 0, offset: before },
  ])
  expect(rows[1]?.offset).toBeGreaterThan(5_000_000_000)
})

it('[FI51] the check value of content that comes in pieces is that of all of it', async () => {
  const bytes = Uint8Array.from({ length: 200_001 }, (_, at) => (at * 31) % 251)
  expect(await crc32(new Blob([bytes.subarray(0, 70_000), bytes.subarray(70_000)]))).toBe(reference(bytes))
})
