/** Folder lists and the frames of `/skein/file/1` (FI1 to FI6); apart from the manifest, which every message may hold. */
import { SkeinError } from '../errors/index.ts'
import { type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { decode, encode, exactly } from './codec.ts'
import { FileFrame as FileFrameMessage, FolderList } from './gen/files_pb.ts'
import { MAX_FOLDER_ENTRIES, MAX_LIST_BYTES, MAX_MISSING_RUNS } from './limits.ts'

const KEY_BYTES = 32
const DIGEST_BYTES = 32
/** Names a raw connection among those of two devices. */
export const BULK_NAME_BYTES = 16
/** A root sealed in the stream: digest and tag. */
export const SEALED_ROOT_BYTES = DIGEST_BYTES + 16

export interface FolderEntry {
  readonly path: readonly string[]
  readonly kind: 'file' | 'folder'
  readonly size: number
  /** Milliseconds since 1970; 0 when unknown. */
  readonly modifiedAt: number
  readonly executable: boolean
}

/** The content itself, or the list of a folder's entries. */
export type FilePart = 'content' | 'list'
export const PARTS: readonly FilePart[] = ['content', 'list']

/** First index and count. */
export type ChunkRun = readonly [number, number]

export type OutcomeState = 'done' | 'failed' | 'cancelled' | 'paused' | 'ready'
const OUTCOMES: readonly string[] = ['done', 'failed', 'cancelled', 'paused', 'ready'] satisfies readonly OutcomeState[]

export type FileFrame =
  | {
      readonly kind: 'request'
      readonly id: MessageId
      readonly part: FilePart
      readonly missing: readonly ChunkRun[]
      readonly window: number
      /** 16 bytes that name a raw connection, or none. */
      readonly bulk: Uint8Array
      /** Of the manifest, 32 bytes, for another device of our own account; else none. */
      readonly key: Uint8Array
      /** Others are asked for the rest: the end need not tell the root. */
      readonly partial: boolean
      /** Bytes of a stream that are known of; 0 of anything else. */
      readonly known: number
    }
  /** 32 bytes. */
  | { readonly kind: 'stream'; readonly salt: Uint8Array }
  | { readonly kind: 'chunk'; readonly index: number; readonly bytes: number }
  | { readonly kind: 'credit'; readonly bytes: number }
  /** So many of the first chunks that were asked for are still wanted. */
  | { readonly kind: 'shorten'; readonly chunks: number }
  /** There is more of a stream than was known of. */
  | { readonly kind: 'grown'; readonly size: number; readonly ended: boolean }
  /** Sealed; empty at the end of a list, and where not all was asked for. */
  | { readonly kind: 'end'; readonly root: Uint8Array }
  | { readonly kind: 'outcome'; readonly id: MessageId; readonly state: OutcomeState; readonly code: string; readonly digest: Uint8Array }
  | { readonly kind: 'receipt'; readonly id: MessageId }

/** @throws SkeinError TOO_MANY_FILES */
export function encodeFolderList(entries: readonly FolderEntry[]): Uint8Array {
  if (entries.length > MAX_FOLDER_ENTRIES) throw tooMany()
  const list = { entries: entries.map(({ path, kind, ...entry }) => ({ ...entry, path: [...path], kind: kind === 'file' ? 0 : 1 })) }
  try {
    return encode(FolderList, list, MAX_LIST_BYTES)
  } catch (cause) {
    throw tooMany(cause)
  }
}

function tooMany(cause?: unknown): SkeinError {
  return new SkeinError(
    'TOO_MANY_FILES',
    'These files are too many, or their paths too long, to be sent at once; send fewer, or pack them.',
    { cause },
  )
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeFolderList(bytes: Uint8Array): readonly FolderEntry[] {
  const { entries } = decode(FolderList, bytes, MAX_LIST_BYTES)
  if (entries.length > MAX_FOLDER_ENTRIES) throw new SkeinError('BAD_FRAME', 'A folder lists more entries than the limit.')
  return entries.map(({ kind, ...entry }) => {
    if (kind > 1) throw new SkeinError('BAD_FRAME', 'A folder lists something that is neither file nor folder.')
    return { ...entry, kind: kind === 0 ? 'file' : 'folder' }
  })
}

export function encodeFileFrame(frame: FileFrame): Uint8Array {
  return encode(FileFrameMessage, { kind: messageOf(frame) })
}

function messageOf(frame: FileFrame): FileFrameMessage['kind'] {
  switch (frame.kind) {
    case 'request': {
      const { id, part, missing, window, bulk, key, partial, known: size } = frame
      const common = { window, bulk, key, partial, known: size }
      return { $case: 'request', value: { id: messageIdBytes(id), part: PARTS.indexOf(part), missing: missing.flat(), ...common } }
    }
    case 'stream':
      return { $case: 'stream', value: { salt: frame.salt } }
    case 'chunk':
      return { $case: 'chunk', value: { index: frame.index, bytes: frame.bytes } }
    case 'credit':
      return { $case: 'credit', value: { bytes: frame.bytes } }
    case 'shorten':
      return { $case: 'shorten', value: { chunks: frame.chunks } }
    case 'grown':
      return { $case: 'grown', value: { size: frame.size, ended: frame.ended } }
    case 'end':
      return { $case: 'end', value: { root: frame.root } }
    case 'outcome':
      return { $case: 'outcome', value: { id: messageIdBytes(frame.id), state: frame.state, code: frame.code, digest: frame.digest } }
    case 'receipt':
      return { $case: 'receipt', value: { id: messageIdBytes(frame.id) } }
  }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeFileFrame(bytes: Uint8Array): FileFrame {
  const { kind } = decode(FileFrameMessage, bytes)
  switch (kind?.$case) {
    case 'request': {
      const { id, part, missing, ...rest } = kind.value
      if (rest.bulk.length > 0) exactly(rest.bulk, BULK_NAME_BYTES)
      if (rest.key.length > 0) exactly(rest.key, KEY_BYTES)
      return { kind: 'request', id: messageIdFromBytes(id), part: known(PARTS[part]), missing: runsOf(missing), ...rest }
    }
    case 'stream':
      return { kind: 'stream', salt: exactly(kind.value.salt, KEY_BYTES) }
    case 'chunk':
      return { kind: 'chunk', ...kind.value }
    case 'credit':
      return { kind: 'credit', ...kind.value }
    case 'shorten':
      return { kind: 'shorten', ...kind.value }
    case 'grown':
      return { kind: 'grown', ...kind.value }
    case 'end':
      if (kind.value.root.length > 0) exactly(kind.value.root, SEALED_ROOT_BYTES)
      return { kind: 'end', ...kind.value }
    case 'outcome':
      return outcomeOf(kind.value)
    case 'receipt':
      return { kind: 'receipt', id: messageIdFromBytes(kind.value.id) }
    case undefined:
      throw new SkeinError('BAD_FRAME', 'A frame about a file says nothing that is known.')
  }
}

interface RawOutcome {
  readonly id: Uint8Array
  readonly state: string
  readonly code: string
  readonly digest: Uint8Array
}

function outcomeOf({ id, state, code, digest }: RawOutcome): FileFrame {
  if (!OUTCOMES.includes(state) || !/^[A-Z_]{0,32}$/.test(code)) throw new SkeinError('BAD_FRAME', 'An outcome is none that is known.')
  if (digest.length > 0) exactly(digest, DIGEST_BYTES)
  return { kind: 'outcome', id: messageIdFromBytes(id), state: state as OutcomeState, code, digest }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new SkeinError('BAD_FRAME', 'A frame names a part that there is not.')
  return value
}

/** Runs that rise and do not touch one another: no chunk is asked for twice. @throws SkeinError BAD_FRAME */
export function runsOf(numbers: readonly number[]): ChunkRun[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_MISSING_RUNS)
    throw new SkeinError('BAD_FRAME', 'Runs of chunks are not in pairs.')
  const runs: ChunkRun[] = []
  let least = 0
  for (let at = 0; at < numbers.length; at += 2) {
    const [first = 0, count = 0] = numbers.slice(at, at + 2)
    if (first < least || count === 0) throw new SkeinError('BAD_FRAME', 'Runs of chunks do not rise.')
    runs.push([first, count])
    least = first + count + 1
  }
  return runs
}
