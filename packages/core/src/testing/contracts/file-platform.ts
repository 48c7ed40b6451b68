/** What file transfers expect of every platform (docs/spec/files.md). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noblePrimitives } from '../../e2ee/primitives.ts'
import { chunkSizeFor, type ContentSink, deriveStreamKey, type FilePlatform, LARGE_CHUNK_BYTES, planOf } from '../../files/index.ts'
import type { FileManifest } from '../../wire/manifest.ts'
import { seededRandom } from '../seeded-random.ts'

export interface FilePlatformUnderTest {
  readonly platform: FilePlatform
  /** A folder for what is received. */
  readonly folder: string
  /** Makes a file of the user; `name` may have folders before it. @returns what `describe` takes */
  put(name: string, bytes: Uint8Array): Promise<string>
  /** What is under a name in `folder`; `undefined` when nothing is. */
  get(name: string): Promise<Uint8Array | undefined>
  /** As after a kill of the process. */
  restart(): Promise<FilePlatform>
  end(): Promise<void>
}

const stream = deriveStreamKey(noblePrimitives, new Uint8Array(32), { salt: new Uint8Array(32), part: 'content' })
const ID = '0123456789abcdef'.repeat(2)
const bytesOf = (seed: number, length: number): Uint8Array => seededRandom(seed).bytes(length)

/** Runs the contract; `make` is called for each test. */
export function filePlatformContract(name: string, make: () => Promise<FilePlatformUnderTest>): void {
  describe(`FilePlatform contract: ${name}`, () => {
    let under: FilePlatformUnderTest
    let platform: FilePlatform
    beforeEach(async () => {
      under = await make()
      platform = under.platform
    })
    afterEach(() => under.end())

    async function restarted(): Promise<FilePlatform> {
      platform = await under.restart()
      return platform
    }

    async function offered(path: string): Promise<{ place: string; manifest: FileManifest }> {
      const { place, ...found } = await platform.describe([path])
      const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
      return { place, manifest }
    }

    async function listOf(place: string, manifest: FileManifest): Promise<Uint8Array | undefined> {
      if (manifest.folder === undefined) return undefined
      const source = await platform.openSource(place, manifest)
      const sealed = await source.seal('list', 0, stream)
      await source.close()
      return noblePrimitives.aesGcmOpen(stream.key, Uint8Array.of(...stream.prefix, 0, 0, 0, 0, 1), sealed, new Uint8Array()) ?? undefined
    }

    /** Moves some chunks from a place to a sink. */
    async function move(
      to: ContentSink,
      { place, manifest }: { place: string; manifest: FileManifest },
      indices: readonly number[],
    ): Promise<void> {
      const source = await platform.openSource(place, manifest)
      for (const index of indices) await to.write(index, stream, await source.seal('content', index, stream))
      await source.close()
    }

    const all = ({ manifest }: { manifest: FileManifest }): number[] => Array.from({ length: planOf(manifest).count }, (_, index) => index)

    async function receive(path: string): Promise<string> {
      const offer = await offered(path)
      const sink = await platform.openSink({
        id: ID,
        manifest: offer.manifest,
        list: await listOf(offer.place, offer.manifest),
        folder: under.folder,
      })
      await move(sink, offer, all(offer))
      const source = await platform.openSource(offer.place, offer.manifest)
      expect(await sink.finish()).toEqual(await source.finish())
      const put = await sink.commit()
      await sink.close()
      await source.close()
      await platform.forget({ id: ID, folder: under.folder })
      return put
    }

    it('[FI9] [FI19] a file comes out as it went in, and both ends hash it alike', async () => {
      const bytes = bytesOf(1, 600_000)
      await receive(await under.put('a.bin', bytes))
      expect(await under.get('a.bin')).toEqual(bytes)
      await receive(await under.put('empty', new Uint8Array()))
      expect(await under.get('empty')).toEqual(new Uint8Array())
    })

    it('[FI16] a name that is taken gets a number, and what was there stays', async () => {
      await receive(await under.put('a.txt', bytesOf(1, 10)))
      await receive(await under.put('a.txt', bytesOf(2, 11)))
      expect(await under.get('a.txt')).toEqual(bytesOf(1, 10))
      expect(await under.get('a (2).txt')).toEqual(bytesOf(2, 11))
    })

    it('[FI15] the list of a folder is there after a restart, where a platform keeps it, until its transfer is forgotten', async () => {
      if (platform.keepList === undefined) return
      const list = bytesOf(4, 3_000)
      await platform.keepList(ID, bytesOf(5, 4_000))
      await platform.keepList(ID, list)
      const again = await restarted()
      expect(await again.keptList?.(ID)).toEqual(list)
      expect(await again.keptList?.('00'.repeat(16))).toBeUndefined()
      await again.forget({ id: ID, folder: under.folder })
      expect(await again.keptList?.(ID)).toBeUndefined()
    })

    it('[FI15] after a kill what was written is there, and nothing stands under the name', async () => {
      const bytes = bytesOf(3, 262_144 * 3 + 1)
      const offer = await offered(await under.put('a.bin', bytes))
      const wish = { id: ID, manifest: offer.manifest, list: undefined, folder: under.folder }
      const first = await platform.openSink(wish)
      await move(first, offer, [0, 3])
      const again = await (await restarted()).openSink(wish)
      expect(again.present.missing(9)).toEqual([[1, 2]])
      expect(again.moved).toBe(262_144 + 1 + 2 * 16)
      expect(await under.get('a.bin')).toBeUndefined()
      await move(again, offer, [2, 1])
      expect((await again.finish()).sha256).toEqual(noblePrimitives.sha256(bytes))
      await again.commit()
      await again.close()
      expect(await under.get('a.bin')).toEqual(bytes)
    })

    it('[FI70] a stream is kept as it grows; after a kill what had come is there, and nothing stands under the name', async () => {
      const size = 2.5 * LARGE_CHUNK_BYTES
      const bytes = bytesOf(9, size)
      const offer = await offered(await under.put('a.bin', bytes))
      const known = (count: number, stream: FileManifest['stream']): FileManifest => ({
        ...offer.manifest,
        ...{ size: count * LARGE_CHUNK_BYTES, chunkSize: LARGE_CHUNK_BYTES, stream },
      })
      const whole = { ...offer, manifest: known(2.5, 'ended') }
      const wish = { id: ID, list: undefined, folder: under.folder }
      const first = await platform.openSink({ ...wish, manifest: known(1, 'growing') })
      await move(first, whole, [0])
      expect(first.present.isFull).toBe(true)
      await first.grow(known(2, 'growing'))
      expect(first.present.missing(9)).toEqual([[1, 1]])
      const again = await (await restarted()).openSink({ ...wish, manifest: known(2, 'growing') })
      expect([again.present.missing(9), await under.get('a.bin')]).toEqual([[[1, 1]], undefined])
      await again.grow(whole.manifest)
      await move(again, whole, [2, 1])
      expect((await again.finish()).sha256).toEqual(noblePrimitives.sha256(bytes))
      await again.commit()
      await again.close()
      expect(await under.get('a.bin')).toEqual(bytes)
    })

    it('[FI38] what was received is read once more, for other devices', async () => {
      const bytes = bytesOf(8, 600_000)
      const path = await under.put('a.bin', bytes)
      const { manifest } = await offered(path)
      const put = await receive(path)
      const source = await platform.openSource(platform.placeOf(put, manifest), manifest)
      expect((await source.seal('content', 1, stream)).length).toBe(262_144 + 16)
      expect((await source.finish()).sha256).toEqual(noblePrimitives.sha256(bytes))
      await source.close()
    })

    it('[FI9] a chunk that does not open is neither written nor counted', async () => {
      const offer = await offered(await under.put('a.bin', bytesOf(4, 300_000)))
      const sink = await platform.openSink({ id: ID, manifest: offer.manifest, list: undefined, folder: under.folder })
      await expect(sink.write(0, stream, bytesOf(5, 262_160))).rejects.toMatchObject({ code: 'SEAL_BROKEN' })
      expect(sink.present.size).toBe(0)
      await sink.close()
    })

    it('[FI11] a file that has become shorter is not the one that was offered', async () => {
      const path = await under.put('a.bin', bytesOf(6, 500_000))
      const offer = await offered(path)
      await under.put('a.bin', bytesOf(6, 300_000))
      const sealed = platform.openSource(offer.place, offer.manifest).then((source) => source.seal('content', 1, stream))
      await expect(sealed).rejects.toMatchObject({ code: 'FILE_CHANGED' })
    })

    it('what is not there cannot be offered', async () => {
      await under.put('there', bytesOf(1, 1))
      await expect(platform.describe(['/nowhere/at/all'])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    })

    it('[FI24] what is forgotten leaves nothing behind, and begins anew', async () => {
      const offer = await offered(await under.put('a.bin', bytesOf(7, 300_000)))
      const wish = { id: ID, manifest: offer.manifest, list: undefined, folder: under.folder }
      const sink = await platform.openSink(wish)
      await move(sink, offer, [0])
      await sink.close()
      await platform.forget(wish)
      const anew = await platform.openSink(wish)
      expect([anew.present.size, anew.moved]).toEqual([0, 0])
      await anew.close()
    })
  })
}
