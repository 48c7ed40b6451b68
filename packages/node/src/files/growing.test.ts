/** What grows while it is sent and received, on a disk. */
import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noblePrimitives } from '@skein/core'
import { grownTo, LARGE_CHUNK_BYTES, openChunk, streamSizes } from '@skein/core/files'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { NodeFiles } from './node-files.ts'

const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }
let top: string
let files: NodeFiles
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'skein-growing-'))
  files = new NodeFiles({ stateFolder: join(top, 'state'), defaultFolder: join(top, 'in') })
})
afterEach(async () => {
  await files.stop()
  rmSync(top, { recursive: true, force: true })
})

it('[FI70] what grows is read while it grows, whatever its time, and hashed as the whole when it has ended', async () => {
  const bytes = randomBytes(2.5 * LARGE_CHUNK_BYTES)
  const path = join(top, 'pipe')
  writeFileSync(path, bytes.subarray(0, 1.5 * LARGE_CHUNK_BYTES))
  const { place: at, ...found } = await files.describe([path])
  const known = { ...found, ...streamSizes(found.size, 'growing'), key: new Uint8Array(32), root: undefined }
  const source = await files.openSource(at, known)
  await source.seal('content', 0, stream)
  appendFileSync(path, bytes.subarray(1.5 * LARGE_CHUNK_BYTES))
  await source.grow?.(grownTo(known, { size: bytes.length, ended: true }))
  const sealed = await source.seal('content', 2, stream)
  expect(openChunk(noblePrimitives, stream, { index: 2, last: true, bytes: sealed })).toEqual(
    new Uint8Array(bytes.subarray(2 * LARGE_CHUNK_BYTES)),
  )
  expect((await source.finish()).sha256).toEqual(noblePrimitives.sha256(bytes))
  await source.close()
})

it('[FI24] [FI71] a stream that is said to have grown to more than the disk has room for is not waited for', async () => {
  const sizes = { chunkSize: LARGE_CHUNK_BYTES, stream: 'growing' } as const
  const manifest = { ...{ name: 'a', mediaType: '', modifiedAt: 0, key: new Uint8Array(32), root: undefined, folder: undefined }, ...sizes }
  const sink = await files.openSink({
    id: 'ab'.repeat(16),
    manifest: { ...manifest, size: LARGE_CHUNK_BYTES },
    list: undefined,
    folder: join(top, 'in'),
  })
  await expect(sink.grow({ ...manifest, size: 2 ** 40 })).rejects.toMatchObject({ code: 'DISK_FULL' })
  await sink.close()
})
