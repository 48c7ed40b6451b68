/** A small file as one sealed whole, cut into pieces that mailboxes hold (FI34). */
import { isSkeinError } from '../errors/index.ts'
import type { FilePart } from '../wire/files.ts'
import { MAX_FILE_PIECE_BYTES } from '../wire/limits.ts'
import { decodeMailedWord, type MailedWord } from '../wire/mailed-words.ts'
import type { FileManifest } from '../wire/manifest.ts'
import { type ChunkPlan, chunkLength, planOf } from './chunk-plan.ts'
import { LEAF_BYTES } from './hash-tree.ts'
import { CHUNK_TAG_BYTES, MAX_MAILED_BYTES } from './limits.ts'
import { listPlan } from './list-plan.ts'
import type { SharedSource } from './shared-source.ts'

type Piece = Extract<MailedWord, { kind: 'piece' }>

const SALT_BYTES = 32
const ROOT_BYTES = LEAF_BYTES + CHUNK_TAG_BYTES

/** A sealing, taken apart. */
export interface Sealing {
  /** 32 bytes each. */
  readonly salts: Readonly<Record<FilePart, Uint8Array>>
  /** Sealed chunks, in order. */
  readonly chunks: Readonly<Record<FilePart, readonly Uint8Array[]>>
  /** Sealed, 48 bytes. */
  readonly root: Uint8Array
}

/** Whether it is small enough to be left in mailboxes. */
export function isMailable({ size, folder, stream }: Pick<FileManifest, 'size' | 'folder' | 'stream'>): boolean {
  return stream === undefined && size + (folder?.listBytes ?? 0) <= MAX_MAILED_BYTES
}

/** Salts, list, content and root, one after the other, all sealed. @throws SkeinError as ContentSource.seal */
export async function sealWhole(source: SharedSource, manifest: FileManifest): Promise<Uint8Array> {
  const parts = [source.salts.content, source.salts.list]
  for (const part of ['list', 'content'] as const) {
    const { count } = planFor(part, manifest)
    for (let index = 0; index < count; index += 1) parts.push(await source.chunk(part, index, false))
  }
  parts.push(await source.sealedRoot())
  return joined(parts)
}

/** In order; each but the last of MAX_FILE_PIECE_BYTES. */
export function cutPieces(sealing: Uint8Array): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0; at < sealing.length; at += MAX_FILE_PIECE_BYTES) pieces.push(sealing.subarray(at, at + MAX_FILE_PIECE_BYTES))
  return pieces
}

/**
 * A sealing of which every piece is there, if there is one.
 * @param words as they came, from whoever offered the file; what is none, or does not fit, is left out
 */
export function joinPieces(words: readonly Uint8Array[], manifest: FileManifest): Sealing | undefined {
  const length = sealingLength(manifest)
  const sealings = new Map<string, Map<number, Uint8Array>>()
  for (const { sealing, index, bytes } of words.map(pieceOf).filter((piece) => piece !== undefined)) {
    if (bytes.length !== Math.min(MAX_FILE_PIECE_BYTES, length - index * MAX_FILE_PIECE_BYTES)) continue
    const name = sealing.join()
    sealings.set(name, (sealings.get(name) ?? new Map<number, Uint8Array>()).set(index, bytes))
  }
  const whole = [...sealings.values()].find((pieces) => pieces.size === Math.ceil(length / MAX_FILE_PIECE_BYTES))
  return whole === undefined ? undefined : takeApart(joined([...whole].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)), manifest)
}

function pieceOf(word: Uint8Array): Piece | undefined {
  try {
    const decoded = decodeMailedWord(word)
    return decoded.kind === 'piece' ? decoded : undefined
  } catch (error) {
    if (isSkeinError(error)) return undefined
    throw error
  }
}

function sealingLength(manifest: FileManifest): number {
  const sealed = ({ size, count }: ChunkPlan): number => size + count * CHUNK_TAG_BYTES
  return 2 * SALT_BYTES + sealed(planFor('list', manifest)) + sealed(planFor('content', manifest)) + ROOT_BYTES
}

function takeApart(bytes: Uint8Array, manifest: FileManifest): Sealing {
  let at = 0
  const take = (length: number): Uint8Array => {
    at += length
    return bytes.slice(at - length, at)
  }
  const chunks = (part: FilePart): Uint8Array[] => {
    const plan = planFor(part, manifest)
    return Array.from({ length: plan.count }, (_, index) => take(chunkLength(plan, index) + CHUNK_TAG_BYTES))
  }
  const salts = { content: take(SALT_BYTES), list: take(SALT_BYTES) }
  const list = chunks('list')
  return { salts, chunks: { list, content: chunks('content') }, root: take(ROOT_BYTES) }
}

function planFor(part: FilePart, manifest: FileManifest): ChunkPlan {
  return part === 'content' ? planOf(manifest) : listPlan(manifest)
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
