/** What a browser refuses, as it is told to core: the store of records is one that fails. */
import type { SinkWish } from '@skein/core'
import type { UseStore } from 'idb-keyval'
import { expect, it, vi } from 'vitest'
import { PageByteSink } from './page-byte-sink.ts'

const manifest = { name: 'a', size: 10, mediaType: '', modifiedAt: 0, chunkSize: 262_144, key: new Uint8Array(32), root: undefined }
const wish: SinkWish = { id: 'ab'.repeat(16), manifest: { ...manifest, folder: undefined }, list: undefined, folder: '' }
const full: UseStore = () => Promise.reject(new DOMException('there is no room', 'QuotaExceededError'))

it('[FI45] a browser that is full when a transfer begins is full, and not at fault in a way that nobody knows', async () => {
  await expect(PageByteSink.open('own', full, wish)).rejects.toMatchObject({ code: 'DISK_FULL' })
})

it('[FI45] a browser that is full by then says so at every step', async () => {
  vi.stubGlobal('IDBKeyRange', { bound: () => undefined })
  let records: UseStore = async <T>() => ({ content: 'c', path: undefined, at: 0 }) as T
  const sink = await PageByteSink.open('own', (...asked) => records(...asked), wish)
  records = full
  const steps = [sink.recorded(), sink.write(0, new Uint8Array(10)), sink.read(0, 10), sink.commit()]
  const codes = steps.map((step) =>
    step.then(
      () => '',
      ({ code }: { code: string }) => code,
    ),
  )
  expect(await Promise.all(codes)).toEqual(['DISK_FULL', 'DISK_FULL', 'DISK_FULL', 'DISK_FULL'])
  vi.unstubAllGlobals()
})

it('[FI45] a stream that grows beyond the room in a browser is full before the last of it is taken, and goes on when there is room', async () => {
  const MIB = 1_048_576
  let usage = 0
  vi.stubGlobal('navigator', { storage: { estimate: async () => ({ quota: 100 * MIB, usage }) } })
  try {
    const records: UseStore = async <T>() => ({ content: 'c', path: undefined, at: 0 }) as T
    const sink = await PageByteSink.open('own', records, wish)
    const grown = (size: number) => sink.grow({ ...wish.manifest, size, stream: 'growing' })
    await grown(60 * MIB)
    usage = 60 * MIB
    await expect(grown(70 * MIB)).rejects.toMatchObject({ code: 'DISK_FULL' })
    usage = 50 * MIB
    await grown(66 * MIB)
    usage = 100 * MIB
    await grown(66 * MIB)
  } finally {
    vi.unstubAllGlobals()
  }
})
