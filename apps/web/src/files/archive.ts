/**
 * One archive of what was received, for browsers that cannot put a folder anywhere: ZIP as everybody opens it, nothing compressed.
 * Content stays on the browser's disk and is only referred to; it is read once, for its check values.
 */
import type { ReceivedFile } from '@skein/node/browser/files'
import { crc32 } from './crc32.ts'

/** What does not fit stands in fields of 8 bytes. */
const FULL_4 = 0xffff_ffff
const FULL_2 = 0xffff
/** Made by a Unix, so that rights count, in version 4.5, the first with such fields. */
const MADE_BY = (3 << 8) | 45
const NEEDS = { plain: 20, large: 45 } as const
/** Names are UTF-8. */
const FLAGS = 0x0800
const MODES = { folder: 0o040_755, file: 0o100_644, program: 0o100_755 } as const
const IS_FOLDER = 0x10
const encoder = new TextEncoder()

export interface CheckedFile extends ReceivedFile {
  /** CRC-32 of its content. */
  readonly check: number
}

interface Entry {
  readonly name: Uint8Array<ArrayBuffer>
  readonly size: number
  readonly file: CheckedFile
  /** Where its header begins. */
  readonly offset: number
}

/** Width in bytes, and number; the lowest byte first. */
type Field = readonly [width: 1 | 2 | 4 | 8, value: number]

/** @param files under paths that are all different, and fit for any system */
export async function archiveOf(files: readonly ReceivedFile[]): Promise<Blob> {
  const checked: CheckedFile[] = []
  for (const file of files) checked.push({ ...file, check: file.content === undefined ? 0 : await crc32(file.content) })
  return new Blob(archiveParts(checked), { type: 'application/zip' })
}

/** What an archive is put together of. */
export function archiveParts(files: readonly CheckedFile[]): BlobPart[] {
  const parts: BlobPart[] = []
  const directory: Uint8Array<ArrayBuffer>[] = []
  let offset = 0
  for (const file of files) {
    const entry = entryOf(file, offset)
    const header = headerOf(entry)
    parts.push(header)
    if (file.content !== undefined) parts.push(file.content)
    directory.push(rowOf(entry))
    offset += header.length + entry.size
  }
  const bytes = directory.reduce((sum, { length }) => sum + length, 0)
  return [...parts, ...directory, endOf({ count: files.length, bytes, offset })]
}

function entryOf(file: CheckedFile, offset: number): Entry {
  const { path, content } = file
  const name = encoder.encode(content === undefined ? `${path.join('/')}/` : path.join('/'))
  return { name, size: content?.size ?? 0, file, offset }
}

/** What stands before its bytes. */
function headerOf({ name, size, file }: Entry): Uint8Array<ArrayBuffer> {
  const extra = [...largeFields(size >= FULL_4 ? [size, size] : []), ...timeFields(file)]
  const common = commonFields({ isLarge: size >= FULL_4, size, file })
  return packed([[4, 0x0403_4b50], ...common, [2, name.length], [2, widthOf(extra)]], name, extra)
}

/** Its row in the directory at the end. */
function rowOf({ name, size, file, offset }: Entry): Uint8Array<ArrayBuffer> {
  const beyond = [...(size >= FULL_4 ? [size, size] : []), ...(offset >= FULL_4 ? [offset] : [])]
  const extra = [...largeFields(beyond), ...timeFields(file)]
  const mode = file.content === undefined ? MODES.folder : file.executable ? MODES.program : MODES.file
  const attributes = mode * 0x1_0000 + (file.content === undefined ? IS_FOLDER : 0)
  const common = commonFields({ isLarge: beyond.length > 0, size, file })
  const rest: Field[] = [
    [2, 0],
    [2, 0],
    [2, 0],
    [4, attributes],
    [4, Math.min(offset, FULL_4)],
  ]
  const before: Field[] = [[4, 0x0201_4b50], [2, MADE_BY], ...common, [2, name.length], [2, widthOf(extra)], ...rest]
  return packed(before, name, extra)
}

function commonFields({ isLarge, size, file }: Pick<Entry, 'size' | 'file'> & { readonly isLarge: boolean }): readonly Field[] {
  const stored = Math.min(size, FULL_4)
  const [time, date] = dosTime(file.modifiedAt)
  return [
    [2, isLarge ? NEEDS.large : NEEDS.plain],
    [2, FLAGS],
    [2, 0],
    [2, time],
    [2, date],
    [4, file.check],
    [4, stored],
    [4, stored],
  ]
}

function endOf({
  count,
  bytes,
  offset,
}: {
  readonly count: number
  readonly bytes: number
  readonly offset: number
}): Uint8Array<ArrayBuffer> {
  const isLarge = count >= FULL_2 || bytes >= FULL_4 || offset >= FULL_4
  const versions: Field[] = [
    [2, MADE_BY],
    [2, NEEDS.large],
  ]
  const places: Field[] = [
    [8, count],
    [8, count],
    [8, bytes],
    [8, offset],
  ]
  const locator: Field[] = [
    [4, 0x0706_4b50],
    [4, 0],
    [8, offset + bytes],
    [4, 1],
  ]
  const large: Field[] = [[4, 0x0606_4b50], [8, 44], ...versions, [4, 0], [4, 0], ...places, ...locator]
  const few = Math.min(count, FULL_2)
  const short: Field[] = [
    [2, few],
    [2, few],
    [4, Math.min(bytes, FULL_4)],
    [4, Math.min(offset, FULL_4)],
    [2, 0],
  ]
  return packed([...(isLarge ? large : []), [4, 0x0605_4b50], [2, 0], [2, 0], ...short])
}

function largeFields(values: readonly number[]): readonly Field[] {
  return values.length === 0 ? [] : [[2, 1], [2, values.length * 8], ...values.map((value) => [8, value] as const)]
}

/** To the second and in universal time, where it is known and fits. */
function timeFields({ modifiedAt }: ReceivedFile): readonly Field[] {
  const seconds = Math.floor(modifiedAt / 1_000)
  return seconds <= 0 || seconds > 0x7fff_ffff
    ? []
    : [
        [2, 0x5455],
        [2, 5],
        [1, 1],
        [4, seconds],
      ]
}

/** As DOS has it: local, every other second, from 1980 to 2107. */
function dosTime(at: number): readonly [time: number, date: number] {
  const day = new Date(at)
  const year = day.getFullYear() - 1980
  if (year < 0 || year > 127) return [0, 0x21]
  const time = (day.getHours() << 11) | (day.getMinutes() << 5) | (day.getSeconds() >> 1)
  return [time, (year << 9) | ((day.getMonth() + 1) << 5) | day.getDate()]
}

/** In one piece: there are two for each of what may be 200,000 files. */
function packed(before: readonly Field[], name = new Uint8Array(), behind: readonly Field[] = []): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(widthOf(before) + name.length + widthOf(behind))
  const view = new DataView(bytes.buffer)
  const at = write(view, before, 0)
  bytes.set(name, at)
  write(view, behind, at + name.length)
  return bytes
}

/** @returns where it ends */
function write(view: DataView, fields: readonly Field[], from: number): number {
  let at = from
  for (const [width, value] of fields) {
    if (width === 1) view.setUint8(at, value)
    else if (width === 2) view.setUint16(at, value, true)
    else if (width === 4) view.setUint32(at, value, true)
    else view.setBigUint64(at, BigInt(value), true)
    at += width
  }
  return at
}

const widthOf = (fields: readonly Field[]): number => fields.reduce((sum, [width]) => sum + width, 0)
