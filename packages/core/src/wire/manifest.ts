/** What is offered of a file, under the ratchet (FI1). */
import { type MessageId, messageIdBytes, messageIdFromBytes } from '../ids.ts'
import { decode, encode, exactly } from './codec.ts'
import { FileManifest as FileManifestMessage } from './gen/manifest_pb.ts'
import { MAX_MANIFEST_BYTES, MAX_THUMBNAIL_BYTES } from './limits.ts'

const KEY_BYTES = 32
const DIGEST_BYTES = 32
const NOTHING = new Uint8Array()

export interface FileManifest {
  /** As the sender calls it: a claim, made safe before it is used. */
  readonly name: string
  /** Bytes of the content; of a stream that grows, those that are known of: whole chunks, of which none is the last. */
  readonly size: number
  readonly mediaType: string
  /** Milliseconds since 1970; 0 when unknown. */
  readonly modifiedAt: number
  readonly chunkSize: number
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 32 bytes; `undefined` when the sender did not know it yet. */
  readonly root: Uint8Array | undefined
  readonly folder: FolderSummary | undefined
  /** A small picture of it, as the sender says: whoever shows it judges it first. At most MAX_THUMBNAIL_BYTES. */
  readonly thumbnail?: Uint8Array | undefined
  /** The offer that this takes the place of, because the content has changed. */
  readonly replaces?: FileReplacement | undefined
  /** Offered before its size was known (FI70). */
  readonly stream?: 'growing' | 'ended' | undefined
}

const STREAMS = [undefined, 'growing', 'ended'] as const

export interface FileReplacement {
  readonly transfer: MessageId
  /** From 1. */
  readonly attempt: number
}

export interface FolderSummary {
  readonly entries: number
  readonly listBytes: number
  /** SHA-256, 32 bytes. */
  readonly listDigest: Uint8Array
}

/** @throws SkeinError FRAME_TOO_LARGE when names make it larger than MAX_MANIFEST_BYTES */
export function encodeManifest(given: FileManifest): Uint8Array {
  const { root = NOTHING, folder, thumbnail = NOTHING, replaces, stream, ...manifest } = given
  const before = replaces === undefined ? undefined : { ...replaces, transfer: messageIdBytes(replaces.transfer) }
  const fields = { ...manifest, root, thumbnail, replaces: before, folder: folder && { ...folder }, stream: STREAMS.indexOf(stream) }
  return encode(FileManifestMessage, fields, MAX_MANIFEST_BYTES)
}

/** Parses; `files/chunk-plan.ts` judges sizes, `files/safe-names.ts` names. @throws SkeinError BAD_FRAME, FRAME_TOO_LARGE */
export function decodeManifest(bytes: Uint8Array): FileManifest {
  const { root, folder, thumbnail, replaces, stream, ...manifest } = decode(FileManifestMessage, bytes, MAX_MANIFEST_BYTES)
  exactly(manifest.key, KEY_BYTES)
  if (folder !== undefined) exactly(folder.listDigest, DIGEST_BYTES)
  const picture = thumbnail.length === 0 || thumbnail.length > MAX_THUMBNAIL_BYTES ? {} : { thumbnail }
  const before = replaces === undefined ? {} : { replaces: { ...replaces, transfer: messageIdFromBytes(replaces.transfer) } }
  // The list of a folder tells its size.
  const grows = STREAMS[stream] === undefined || folder !== undefined ? {} : { stream: STREAMS[stream] }
  return { ...manifest, ...picture, ...before, ...grows, root: root.length === 0 ? undefined : exactly(root, DIGEST_BYTES), folder }
}
