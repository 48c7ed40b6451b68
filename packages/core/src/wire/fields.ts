/** What the generated codecs do for one field; one that has the value it has anyway is not written. */
import type { BinaryWriter } from '@bufbuild/protobuf/wire'

/** What a field of bytes is that is missing: thousands of empty messages in one frame shall not cost one each. */
export const NOTHING = new Uint8Array(0)

export function putBytes(writer: BinaryWriter, tag: number, value: Uint8Array): void {
  if (value.length > 0) writer.uint32(tag).bytes(value)
}

export function putText(writer: BinaryWriter, tag: number, value: string): void {
  if (value !== '') writer.uint32(tag).string(value)
}

export function putNumber(writer: BinaryWriter, tag: number, value: number): void {
  if (value !== 0) writer.uint32(tag).uint32(value)
}

export function putFlag(writer: BinaryWriter, tag: number, value: boolean): void {
  if (value) writer.uint32(tag).bool(value)
}

export function putLong(writer: BinaryWriter, tag: number, value: number): void {
  if (value !== 0) writer.uint32(tag).uint64(value)
}

interface Encoder<T> {
  encode(message: T, writer: BinaryWriter): BinaryWriter
}

export function putEach<T>(writer: BinaryWriter, tag: number, { encode }: Encoder<T>, values: readonly T[]): void {
  for (const value of values) encode(value, writer.uint32(tag).fork()).join()
}

export function putMessage<T>(writer: BinaryWriter, tag: number, { encode }: Encoder<T>, value: T | undefined): void {
  if (value !== undefined) encode(value, writer.uint32(tag).fork()).join()
}

/** @throws RangeError for more than a number can hold */
export function longToNumber(long: { toString(): string }): number {
  const value = Number(long.toString())
  if (!Number.isSafeInteger(value)) throw new RangeError('a number is too large')
  return value
}
