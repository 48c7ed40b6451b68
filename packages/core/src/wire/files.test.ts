import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSkeinError } from '../errors/index.ts'
import { messageIdFromBytes } from '../ids.ts'
import * as wire from './files.ts'
import { decodeManifest, encodeManifest, type FileManifest } from './manifest.ts'

const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)
const id = messageIdFromBytes(filled(16, 0xab))
const bad = expect.objectContaining({ code: 'BAD_FRAME' })
const manifest: FileManifest = {
  name: 'a',
  size: 5,
  mediaType: '',
  modifiedAt: 0,
  chunkSize: 262_144,
  key: filled(32, 1),
  root: undefined,
  folder: undefined,
}

const count = fc.nat({ max: 2 ** 53 - 1 })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const anyManifest = fc.record({
  name: fc.string({ unit: 'grapheme', maxLength: 200 }),
  size: count,
  mediaType: fc.string({ maxLength: 100 }),
  modifiedAt: count,
  chunkSize: fc.nat(),
  key: bytes32,
  root: fc.option(bytes32, { nil: undefined }),
  folder: fc.option(fc.record({ entries: fc.nat(), listBytes: count, listDigest: bytes32 }), { nil: undefined }),
})
const anyEntry: fc.Arbitrary<wire.FolderEntry> = fc.record({
  path: fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 5 }),
  kind: fc.constantFrom('file', 'folder'),
  size: count,
  modifiedAt: count,
  executable: fc.boolean(),
})
const anyId = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(messageIdFromBytes)
const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 })), { maxLength: 20 }).map((steps) => {
  let at = 0
  return steps.map(([gap, length]): wire.ChunkRun => {
    const first = at + gap
    at = first + length
    return [first, length]
  })
})
const anyFrame: fc.Arbitrary<wire.FileFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('request' as const),
    id: anyId,
    part: fc.constantFrom('content' as const, 'list' as const),
    missing: runs,
    window: count,
    bulk: fc.constantFrom(new Uint8Array(), filled(16, 7)),
    key: fc.constantFrom(new Uint8Array(), filled(32, 7)),
    partial: fc.boolean(),
    known: count,
  }),
  fc.record({ kind: fc.constant('grown' as const), size: count, ended: fc.boolean() }),
  fc.record({ kind: fc.constant('shorten' as const), chunks: fc.nat() }),
  fc.record({ kind: fc.constant('stream' as const), salt: bytes32 }),
  fc.record({ kind: fc.constant('chunk' as const), index: fc.nat(), bytes: fc.nat() }),
  fc.record({ kind: fc.constant('credit' as const), bytes: count }),
  fc.record({ kind: fc.constant('end' as const), root: fc.uint8Array({ minLength: 48, maxLength: 48 }) }),
  fc.record({
    kind: fc.constant('outcome' as const),
    id: anyId,
    state: fc.constantFrom('done' as const, 'failed' as const, 'cancelled' as const, 'paused' as const, 'ready' as const),
    code: fc.constantFrom('', 'FILE_CHANGED'),
    digest: bytes32,
  }),
  fc.record({ kind: fc.constant('receipt' as const), id: anyId }),
)

describe('files on the wire', () => {
  it('[FI1] golden bytes: a manifest, a list, a request, a chunk', () => {
    expect(hex.encode(encodeManifest(manifest))).toBe(`0a01611005${'28808010'}${'3220'}${'01'.repeat(32)}`)
    const entry = { path: ['d', 'f'], kind: 'file', size: 5, modifiedAt: 0, executable: true } as const
    expect(hex.encode(wire.encodeFolderList([entry]))).toBe(`0a0a${'0a0164'}${'0a0166'}${'1805'}${'2801'}`)
    const request = {
      kind: 'request',
      id,
      part: 'content',
      missing: [[2, 3]],
      window: 300,
      bulk: filled(0, 0),
      key: filled(0, 0),
      partial: false,
      known: 0,
    } as const
    expect(hex.encode(wire.encodeFileFrame(request))).toBe(`0a19${'0a10'}${'ab'.repeat(16)}${'1a020203'}${'20ac02'}`)
    expect(hex.encode(wire.encodeFileFrame({ kind: 'chunk', index: 1, bytes: 300 }))).toBe(`1a05${'0801'}${'10ac02'}`)
  })

  it('[FI1] [FI3] manifests, lists and frames come back as they were', () => {
    fc.assert(fc.property(anyManifest, (each) => void expect(decodeManifest(encodeManifest(each))).toEqual(each)))
    fc.assert(fc.property(fc.array(anyEntry), (each) => void expect(wire.decodeFolderList(wire.encodeFolderList(each))).toEqual(each)))
    fc.assert(fc.property(anyFrame, (each) => void expect(wire.decodeFileFrame(wire.encodeFileFrame(each))).toEqual(each)))
  })

  it('[FI1] a manifest has at most 4,096 bytes, and a key of 32', () => {
    expect(() => encodeManifest({ ...manifest, name: 'x'.repeat(4_096) })).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
    expect(() => decodeManifest(filled(4_097, 0))).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
    expect(() => decodeManifest(encodeManifest({ ...manifest, key: filled(31, 1) }))).toThrow(bad)
    expect(() => decodeManifest(encodeManifest({ ...manifest, root: filled(31, 1) }))).toThrow(bad)
    const folder = { entries: 1, listBytes: 1, listDigest: filled(5, 1) }
    expect(() => decodeManifest(encodeManifest({ ...manifest, folder }))).toThrow(bad)
  })

  it('[FI36] a thumbnail comes along in a manifest with the longest name; one that is too large is not there', () => {
    const thumbnail = filled(3_072, 7)
    const long = { ...manifest, name: 'x'.repeat(240), mediaType: 'image/jpeg', root: filled(32, 1), thumbnail }
    expect(decodeManifest(encodeManifest(long))).toEqual(long)
    expect(decodeManifest(encodeManifest({ ...manifest, thumbnail: filled(3_073, 7) }))).toEqual(manifest)
  })

  it('[FI5] a list has at most 200,000 entries and 32 MiB', () => {
    const entry: wire.FolderEntry = { path: ['a'], kind: 'file', size: 0, modifiedAt: 0, executable: false }
    const most = Array.from({ length: 200_000 }, () => entry)
    expect(wire.decodeFolderList(wire.encodeFolderList(most))).toHaveLength(200_000)
    expect(() => wire.encodeFolderList([...most, entry])).toThrow(expect.objectContaining({ code: 'TOO_MANY_FILES' }))
    const long = { ...entry, path: Array.from({ length: 60 }, () => 'x'.repeat(240)) }
    expect(wire.encodeFolderList(Array.from({ length: 2_200 }, () => long)).length).toBeGreaterThan(31_000_000)
    expect(() => wire.encodeFolderList(Array.from({ length: 2_400 }, () => long))).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_FILES' }),
    )
    expect(() => wire.decodeFolderList(hex.decode('0a021002'))).toThrow(bad)
  })

  it.each([
    ['an odd number', [1]],
    ['an empty run', [1, 0]],
    ['runs that fall', [5, 1, 2, 1]],
    ['runs that touch', [1, 2, 3, 1]],
    ['too many', Array.from({ length: 8_194 }, (_, at) => 2 * at + 1)],
  ])('[FI6] a request with %s is refused', (_, numbers) => {
    const packed = numbers.flatMap((number) => (number < 128 ? [number] : [(number & 127) | 128, number >> 7]))
    const length = (of: number): string =>
      of < 128 ? of.toString(16).padStart(2, '0') : `${((of & 127) | 128).toString(16)}${(of >> 7).toString(16).padStart(2, '0')}`
    const inner = `0a10${'ab'.repeat(16)}1a${length(packed.length)}${hex.encode(Uint8Array.from(packed))}`
    expect(() => wire.decodeFileFrame(hex.decode(`0a${length(inner.length / 2)}${inner}`))).toThrow(bad)
  })

  it('[FI6] outcomes that are none, and anything else, are refused and nothing worse', () => {
    const outcome = { kind: 'outcome', id, state: 'done', code: 'lower case', digest: filled(0, 0) } as const
    expect(() => wire.decodeFileFrame(wire.encodeFileFrame(outcome))).toThrow(bad)
    for (const decode of [wire.decodeFileFrame, decodeManifest, wire.decodeFolderList]) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
          try {
            decode(bytes)
          } catch (error) {
            expect(isSkeinError(error)).toBe(true)
          }
        }),
      )
    }
  })
})
