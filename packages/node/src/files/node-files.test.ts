import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { noblePrimitives } from '@skein/core'
import { chunkSizeFor } from '@skein/core/files'
import { filePlatformContract } from '@skein/core/contracts'
import { expect, it } from 'vitest'
import { mountsOf } from './gone.ts'
import { place } from '../testing/files-place.ts'

filePlatformContract('Node.js', async () => {
  const { top, make, first, end } = place()
  return {
    platform: first,
    folder: join(top, 'in'),
    put: async (name, bytes) => {
      const path = join(top, 'own', name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, bytes)
      return path
    },
    get: async (name) => {
      try {
        return new Uint8Array(readFileSync(join(top, 'in', name)))
      } catch {
        return undefined
      }
    },
    restart: async () => {
      await first.stop()
      return make()
    },
    end,
  }
})

const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }

it('[FI15] a part that somebody has made a link of is not written through', async () => {
  const { top, first, end } = place()
  mkdirSync(join(top, 'in'))
  writeFileSync(join(top, 'precious'), 'precious')
  writeFileSync(join(top, 'a'), 'hello')
  const id = 'ab'.repeat(16)
  symlinkSync(join(top, 'precious'), join(top, 'in', `.skein-${id}.part`))
  const { place: at, ...found } = await first.describe([join(top, 'a')])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const source = await first.openSource(at, manifest)
  const sink = await first.openSink({ id, manifest, list: undefined, folder: join(top, 'in') })
  await expect(sink.write(0, stream, await source.seal('content', 0, stream))).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
  expect(readFileSync(join(top, 'precious'), 'utf8')).toBe('precious')
  await end()
})

it('[FI24] more than the disk has room for is refused before anything is fetched', async () => {
  const { top, first, end } = place()
  const manifest = {
    name: 'a',
    size: 2 ** 40,
    mediaType: '',
    modifiedAt: 0,
    chunkSize: chunkSizeFor(2 ** 40),
    key: new Uint8Array(32),
    root: undefined,
    folder: undefined,
  }
  await expect(first.openSink({ id: 'ab'.repeat(16), manifest, list: undefined, folder: join(top, 'in') })).rejects.toMatchObject({
    code: 'DISK_FULL',
  })
  expect(readdirSync(join(top, 'in'))).toEqual([])
  await end()
})

it('[FI19] who was killed between the move and the note finds what it has put in place', async () => {
  const { top, first, make, end } = place()
  writeFileSync(join(top, 'a'), 'hello')
  const { place: at, ...found } = await first.describe([join(top, 'a')])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const wish = { id: 'ab'.repeat(16), manifest, list: undefined, folder: join(top, 'in') }
  const source = await first.openSource(at, manifest)
  const sink = await first.openSink(wish)
  await sink.write(0, stream, await source.seal('content', 0, stream))
  const path = await sink.commit()
  await first.stop()
  const again = await make().openSink(wish)
  expect(again.present.isFull).toBe(true)
  await again.finish()
  expect(await again.commit()).toBe(path)
  expect(readdirSync(join(top, 'in'))).toEqual(['a'])
  await end()
})

it('[FI39] a folder whose list is gone is listed again for a later device; with another content it has changed', async () => {
  const { top, first, end } = place()
  const folder = join(top, 'folder')
  mkdirSync(folder)
  writeFileSync(join(folder, 'a'), 'hello')
  const { place: at, ...found } = await first.describe([folder])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const listed = async (): Promise<Uint8Array> => (await first.openSource(at, manifest)).seal('list', 0, stream)
  const list = await listed()
  await first.forgetSource(at)
  expect(await listed()).toEqual(list)
  writeFileSync(join(folder, 'b'), 'more')
  await expect(first.openSource(at, manifest)).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  await end()
})

it('[FI39] what is named at the top stays in its order, whatever it is called', async () => {
  const { top, first, end } = place()
  const paths = ['notes', '2024', '__proto__'].map((name) => join(top, name))
  for (const path of paths) writeFileSync(path, path)
  const { place: at, ...found } = await first.describe(paths)
  expect(first.pathsOf(at)).toEqual(paths)
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const sealed = async () => {
    const source = await first.openSource(at, manifest)
    return [await source.seal('list', 0, stream), await source.seal('content', 0, stream)]
  }
  const before = await sealed()
  await first.forgetSource(at)
  expect(await sealed()).toEqual(before)
  const old = JSON.stringify({ kind: 'folder', roots: { a: '/a', b: '/b' }, list: 'x.list' })
  expect(first.pathsOf(old)).toEqual(['/a', '/b'])
  await end()
})

it('[FI46] a file has changed when it is gone from its folder, and is away when the folder is', async () => {
  const { top, first, end } = place()
  const [folder, path] = [join(top, 'stick'), join(top, 'stick/a')]
  mkdirSync(folder)
  writeFileSync(path, 'hello')
  const offers = await Promise.all([first.describe([path]), first.describe([join(top, 'stick')])])
  const reasons = (): Promise<unknown[]> =>
    Promise.all(
      offers.map(async ({ place: at, ...found }) => {
        const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
        const sealing = first.openSource(at, manifest).then((source) => source.seal('content', 0, stream))
        return sealing.then(
          () => 'read',
          ({ code }: { code: string }) => code,
        )
      }),
    )
  expect(await reasons()).toEqual(['read', 'read'])
  renameSync(folder, join(top, 'away'))
  expect(await reasons()).toEqual(['FILE_UNREADABLE', 'FILE_CHANGED'])
  renameSync(join(top, 'away'), folder)
  expect(await reasons()).toEqual(['read', 'read'])
  renameSync(path, join(folder, 'b'))
  expect(await reasons()).toEqual(['FILE_CHANGED', 'FILE_CHANGED'])
  await end()
})

it('[FI46] what lay on a disk is away while the folder where that was mounted is an empty one', async () => {
  const { top, first, end } = place()
  const [folder, path] = [join(top, 'stick'), join(top, 'stick/a')]
  mkdirSync(folder)
  writeFileSync(path, 'hello')
  const offers = await Promise.all([first.describe([path]), first.describe([folder])])
  rmSync(path)
  const codes = offers.map(async ({ place: at, ...found }) => {
    const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
    // As if it had been a disk of its own then.
    const source = await first.openSource(JSON.stringify({ ...JSON.parse(at), mounts: [folder] }), manifest)
    return source.seal('content', 0, stream).catch(({ code }: { code: string }) => code)
  })
  expect(await Promise.all(codes)).toEqual(['FILE_UNREADABLE', 'FILE_UNREADABLE'])
  await end()
})

it.runIf(process.platform === 'linux')('[FI46] where disks are mounted is known by their neighbours', () => {
  expect(mountsOf(['/proc/self', '/proc'])).toEqual(['/proc'])
})

it('[FI14] folders keep their times too; who was killed between the move and the note finds a folder where it put it', async () => {
  const { top, first, make, end } = place()
  const folder = join(top, 'folder')
  mkdirSync(join(folder, 'deep'), { recursive: true })
  writeFileSync(join(folder, 'deep/a'), 'hello')
  const times = [1_577_880_000, 1_577_890_000] as const
  for (const [at, path] of [join(folder, 'deep'), folder].entries()) utimesSync(path, times[at] ?? 0, times[at] ?? 0)
  const { place: at, ...found } = await first.describe([folder])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const source = await first.openSource(at, manifest)
  const sealed = await source.seal('list', 0, stream)
  const list = noblePrimitives.aesGcmOpen(stream.key, Uint8Array.of(...stream.prefix, 0, 0, 0, 0, 1), sealed, new Uint8Array()) ?? undefined
  const wish = { id: 'ab'.repeat(16), manifest, list, folder: join(top, 'in') }
  const sink = await first.openSink(wish)
  await sink.write(0, stream, await source.seal('content', 0, stream))
  expect(await sink.commit()).toBe(join(top, 'in/folder'))
  const modified = (path: string): number => statSync(join(top, 'in', path)).mtimeMs / 1_000
  expect([modified('folder/deep'), modified('folder')]).toEqual(times)
  await first.stop()
  const again = await make().openSink(wish)
  expect(await again.commit()).toBe(join(top, 'in/folder'))
  expect(readdirSync(join(top, 'in'))).toEqual(['folder'])
  await end()
})

it('[FI14] what has become a link, or a pipe, in a folder that is sent has changed, and nobody waits for it', async () => {
  const { top, first, end } = place()
  const [folder, path] = [join(top, 'folder'), join(top, 'folder/a')]
  mkdirSync(folder)
  writeFileSync(path, 'hello')
  const { place: at, ...found } = await first.describe([folder])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const sealing = async () => (await first.openSource(at, manifest)).seal('content', 0, stream)
  renameSync(path, join(top, 'a'))
  symlinkSync(join(top, 'a'), path)
  await expect(sealing()).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  rmSync(path)
  execFileSync('mkfifo', [path])
  await expect(sealing()).rejects.toMatchObject({ code: 'FILE_CHANGED' })
  await end()
})

it('[DW26] where things go is changed at once, and goes back to what it was', async () => {
  const { first, top, end } = place()
  const folders = ['/media/large', ''].map((folder) => {
    first.receiveInto(folder)
    return first.defaultFolder()
  })
  expect(folders).toEqual(['/media/large', join(top, 'received')])
  await end()
})

it('what was stopped begins no thread anew', async () => {
  const { top, first, end } = place()
  await first.stop()
  await expect(first.describe([top])).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await end()
})

it('[FI40] what a crash has left of transfers that nobody knows is removed after a day, and nothing else', async () => {
  const { top, first, end } = place()
  const state = join(top, 'state')
  const [known, gone] = ['ab'.repeat(16), 'cd'.repeat(16)]
  mkdirSync(join(top, 'folder'))
  const { place: at } = await first.describe([join(top, 'folder')])
  const copy = (name: string): string => {
    mkdirSync(join(state, 'spool', name, 'deep'), { recursive: true })
    writeFileSync(join(state, 'spool', name, 'deep/file'), name)
    return join(state, 'spool', name, 'deep')
  }
  const { place: copied } = await first.describe([copy('sent')])
  copy('left')
  // What cannot even be looked at keeps nothing else.
  symlinkSync('circle', join(state, 'spool', 'circle'))
  // Somebody still writes to it.
  copy('fresh')
  for (const name of [`${known}.have`, `${gone}.have`, `${gone}.final`, 'other.list', 'x.place.part', 'precious.db'])
    writeFileSync(join(state, name), '')
  const kept = { ids: [known], places: [at, copied, '/somewhere'], paths: [], ended: [] }
  await first.tidy(kept)
  const before = readdirSync(state)
  expect(before).toContain('other.list')
  const old = new Date(Date.now() - 2 * 86_400_000)
  for (const name of before) utimesSync(join(state, name), old, old)
  for (const name of readdirSync(join(state, 'spool'), { recursive: true, encoding: 'utf8' }))
    if (!name.endsWith('fresh/deep/file') && name !== 'circle') utimesSync(join(state, 'spool', name), old, old)
  await first.tidy(kept)
  const lists = [at, copied].map((each) => (JSON.parse(each) as { list: string }).list)
  expect(readdirSync(state).sort()).toEqual([`${known}.have`, 'precious.db', 'spool', ...lists].sort())
  expect(readdirSync(join(state, 'spool')).sort()).toEqual(['circle', 'fresh', 'sent'])
  await end()
})

it('[FI15] who asks for something else is answered while a large part is looked at', async () => {
  const { top, first, end } = place()
  const size = 40 * 1_048_576
  writeFileSync(join(top, 'a'), Buffer.alloc(size, 7))
  const { place: at, ...found } = await first.describe([join(top, 'a')])
  const manifest = { ...found, chunkSize: chunkSizeFor(found.size), key: new Uint8Array(32), root: undefined }
  const wish = { id: 'ab'.repeat(16), manifest, list: undefined, folder: join(top, 'in') }
  const source = await first.openSource(at, manifest)
  const sink = await first.openSink(wish)
  for (let index = 0; index < 40; index += 1) await sink.write(index, stream, await source.seal('content', index, stream))
  await sink.close()
  const order: string[] = []
  const opening = first.openSink(wish).then(() => order.push('opened'))
  const other = first.describe([join(top, 'a')]).then(() => order.push('described'))
  await Promise.all([opening, other])
  expect(order).toEqual(['described', 'opened'])
  await end()
})
