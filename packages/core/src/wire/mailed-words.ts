/** What is said about a file through the ratchet, where one of the two is away (FI34). */
import { SkeinError } from '../errors/index.ts'
import { decode, encode, exactly } from './codec.ts'
import { type ChunkRun, type FilePart, PARTS, runsOf } from './files.ts'
import { MailedWord as MailedWordMessage } from './gen/files_pb.ts'
import { MAX_FILE_PIECE_BYTES, MAX_FILE_PIECES } from './limits.ts'

const SEALING_BYTES = 16
const DIGEST_BYTES = 32
const DEVICE_BYTES = 32

export type MailedWord =
  | {
      readonly kind: 'piece'
      /** 16 bytes: pieces of one sealing belong together. */
      readonly sealing: Uint8Array
      readonly index: number
      /** At most MAX_FILE_PIECE_BYTES. */
      readonly bytes: Uint8Array
    }
  /** SHA-256 of the content, 32 bytes. */
  | { readonly kind: 'done'; readonly digest: Uint8Array }
  /** The recipient waits for it. */
  | { readonly kind: 'ready' }
  /** The sender takes back what it has left. */
  | { readonly kind: 'cancelled' }
  /** A stream has ended: so many bytes. */
  | { readonly kind: 'ended'; readonly size: number }
  /** The recipient waits for these chunks by the mesh. `device`: its key, 32 bytes. */
  | { readonly kind: 'wish'; readonly device: Uint8Array; readonly part: FilePart; readonly missing: readonly ChunkRun[] }

export function encodeMailedWord(word: MailedWord): Uint8Array {
  return encode(MailedWordMessage, { kind: messageOf(word) })
}

function messageOf(word: MailedWord): MailedWordMessage['kind'] {
  if (word.kind === 'piece') return { $case: 'piece', value: { sealing: word.sealing, index: word.index, bytes: word.bytes } }
  if (word.kind === 'wish')
    return { $case: 'wish', value: { device: word.device, part: PARTS.indexOf(word.part), missing: word.missing.flat() } }
  if (word.kind === 'ended') return { $case: 'grown', value: { size: word.size, ended: true } }
  return { $case: 'outcome', value: { state: word.kind, digest: word.kind === 'done' ? word.digest : new Uint8Array() } }
}

/** @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeMailedWord(bytes: Uint8Array): MailedWord {
  const { kind } = decode(MailedWordMessage, bytes)
  if (kind?.$case === 'piece') {
    const { sealing, index, bytes: piece } = kind.value
    if (index >= MAX_FILE_PIECES || piece.length > MAX_FILE_PIECE_BYTES)
      throw new SkeinError('BAD_FRAME', 'A piece of a file is out of range or too large.')
    return { kind: 'piece', sealing: exactly(sealing, SEALING_BYTES), index, bytes: piece }
  }
  if (kind?.$case === 'outcome' && kind.value.state === 'done') return { kind: 'done', digest: exactly(kind.value.digest, DIGEST_BYTES) }
  if (kind?.$case === 'outcome' && (kind.value.state === 'ready' || kind.value.state === 'cancelled')) return { kind: kind.value.state }
  if (kind?.$case === 'grown' && kind.value.ended) return { kind: 'ended', size: kind.value.size }
  const part = kind?.$case === 'wish' ? PARTS[kind.value.part] : undefined
  if (kind?.$case === 'wish' && part !== undefined)
    return { kind: 'wish', device: exactly(kind.value.device, DEVICE_BYTES), part, missing: runsOf(kind.value.missing) }
  throw new SkeinError('BAD_FRAME', 'A word about a file says nothing that is known.')
}
