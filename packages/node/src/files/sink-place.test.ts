/** Parts of what is received, whose disk may be away. */
import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chunkSizeFor } from '@skein/core/files'
import { expect, it } from 'vitest'
import { place } from '../testing/files-place.ts'
import { mountsOf } from './gone.ts'

const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }

/** Of two chunks the first has come, and its sink is closed. */
async function half({ top, first }: Pick<ReturnType<typeof place>, 'top' | 'first'>) {
  const [id, folder] = ['ab'.repeat(16), join(top, 'stick')]
  writeFileSync(join(top, 'a'), Buffer.alloc(300_000, 7))
  const { place: at, ...found } = await first.describe([join(top, 'a')])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const wish = { id, manifest, list: undefined, folder }
  const source = await first.openSource(at, manifest)
  const sink = await first.openSink(wish)
  await sink.write(0, stream, await source.seal('content', 0, stream))
  await sink.close()
  const [part, noted] = [join(folder, `.skein-${id}.part`), join(top, 'state', `${id}.place`)]
  return { id, folder, wish, part, noted }
}

it.each(['ended', 'unknown'])(
  '[FI24] a part on a disk that is away when its transfer ends is removed at a later start (%s)',
  async (as) => {
    const { top, first, end } = place()
    const { id, folder, noted } = await half({ top, first })
    renameSync(folder, join(top, 'away'))
    await first.forget({ id, folder })
    renameSync(join(top, 'away'), folder)
    expect(readdirSync(folder)).toEqual([`.skein-${id}.part`])
    const none = { ids: [], places: [], paths: [], ended: [] }
    await first.tidy(none)
    // Somebody may be just about to know it.
    expect(readdirSync(folder)).toEqual([`.skein-${id}.part`])
    const old = new Date(Date.now() - 2 * 86_400_000)
    if (as === 'unknown') utimesSync(noted, old, old)
    await first.tidy(as === 'unknown' ? none : { ids: [id], places: [folder], paths: [], ended: [{ id, folder }] })
    expect([readdirSync(folder), readdirSync(join(top, 'state'))]).toEqual([[], []])
    await end()
  },
)

it('[FI45] a part that has become a link of somebody says so when it is opened again', async () => {
  const { top, first, end } = place()
  const { wish, part } = await half({ top, first })
  renameSync(part, join(top, 'part'))
  symlinkSync(join(top, 'part'), part)
  await expect(first.openSink(wish)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await end()
})

it('[FI61] nothing is begun anew, and nothing forgotten, below the empty folder where the disk of a part was mounted', async () => {
  const { top, first, end } = place()
  const { id, folder, wish, part, noted } = await half({ top, first })
  expect(JSON.parse(readFileSync(noted, 'utf8'))).toEqual({ folder, mounts: mountsOf([folder]) })
  // As if the folder had been a disk of its own then.
  renameSync(part, join(top, 'part'))
  writeFileSync(noted, JSON.stringify({ folder, mounts: [folder] }))
  await expect(first.openSink(wish)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  await first.forget({ id, folder })
  expect([readdirSync(folder), readdirSync(join(top, 'state')).sort()]).toEqual([[], [`${id}.have`, `${id}.place`]])
  // As if it was mounted again.
  renameSync(join(top, 'part'), part)
  writeFileSync(noted, JSON.stringify({ folder, mounts: [] }))
  const sink = await first.openSink(wish)
  expect(sink.present.missing(10)).toEqual([[1, 1]])
  await sink.close()
  await first.forget({ id, folder })
  expect([readdirSync(folder), readdirSync(join(top, 'state'))]).toEqual([[], []])
  await end()
})

it.each([
  ['none', undefined],
  ['an empty one', ''],
])(
  '[FI61] without a note (%s), a record of what lies in a folder that is away is neither gone on with elsewhere nor removed',
  async (_, note) => {
    const { top, first, end } = place()
    const { id, folder, wish, noted } = await half({ top, first })
    rmSync(noted)
    if (note !== undefined) writeFileSync(noted, note)
    renameSync(folder, join(top, 'away'))
    await expect(first.openSink(wish)).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await first.forget({ id, folder })
    expect(readdirSync(join(top, 'state'))).toContain(`${id}.have`)
    renameSync(join(top, 'away'), folder)
    await first.tidy({ ids: [id], places: [folder], paths: [], ended: [{ id, folder }] })
    expect([readdirSync(folder), readdirSync(join(top, 'state'))]).toEqual([[], []])
    await end()
  },
)
