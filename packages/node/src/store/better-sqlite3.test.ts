import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { storeContract } from '@skein/core/contracts'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { openStore } from './better-sqlite3.ts'

const storageKey = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(32).fill(7))

function folder(): { path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'skein-store-'))
  return { path: join(dir, 'skein.sqlite'), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

storeContract('better-sqlite3', async () => {
  const place = folder()
  let current = await openStore({ ...place, storageKey })
  return {
    get store() {
      return current
    },
    reopen: async () => {
      await current.close()
      current = await openStore({ ...place, storageKey })
      return current
    },
    [Symbol.asyncDispose]: async () => {
      await current.close()
      place[Symbol.dispose]()
    },
  }
})

it('[ST9] a second one on the same file is told that it is locked', async () => {
  using place = folder()
  const store = await openStore({ ...place, storageKey })
  await expect(openStore({ ...place, storageKey })).rejects.toMatchObject({ code: 'STORE_LOCKED' })
  await store.close()
  await (await openStore({ ...place, storageKey })).close()
})

it('[ST10] a damaged file is refused with a code', async () => {
  using place = folder()
  writeFileSync(place.path, 'this is no database '.repeat(300))
  await expect(openStore({ ...place, storageKey })).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  await expect(openStore({ path: join(place.path, 'below', 'a-file.sqlite'), storageKey })).rejects.toMatchObject({
    code: 'DATA_DIR_READ_ONLY',
  })
})

it('[ST11] a full disk refuses the commit, keeps what was there, and goes on when there is room', async () => {
  using place = folder()
  const store = await openStore({ ...place, storageKey })
  await store.commit([{ kind: 'setting.put', key: 'before', value: 'kept' }])
  await store.close()
  const small = new Database(place.path)
  const pages = small.pragma('page_count', { simple: true }) as number
  small.close()
  const limited = await openStore({ ...place, storageKey, maxPages: pages + 2 })
  await expect(limited.commit([{ kind: 'setting.put', key: 'big', value: 'x'.repeat(100_000) }])).rejects.toMatchObject({
    code: 'DISK_FULL',
  })
  expect(await limited.setting('before')).toBe('kept')
  await limited.commit([{ kind: 'setting.put', key: 'small', value: 'y' }])
  expect(await limited.setting('small')).toBe('y')
  await limited.close()
})

it('[ST12] what was acknowledged before a kill is there after it', async () => {
  using place = folder()
  const program = `
    import { openStore } from ${JSON.stringify(new URL('../../dist/store/index.js', import.meta.url).href)}
    const store = await openStore({ path: ${JSON.stringify(place.path)}, storageKey: async () => new Uint8Array(32).fill(7) })
    for (let n = 0; ; n += 1) {
      await store.commit([{ kind: 'setting.put', key: 'k' + n, value: 'v' }, { kind: 'setting.put', key: 'l' + n, value: 'v' }])
      process.stdout.write(n + '\\n')
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  let last = -1
  let text = ''
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString()
    const lines = text.split('\n')
    last = Number(lines.at(-2) ?? -1)
    if (last > 200) child.kill('SIGKILL')
  })
  await once(child, 'close')
  const store = await openStore({ ...place, storageKey })
  for (let n = 0; n <= last; n += 1) expect([await store.setting(`k${n}`), await store.setting(`l${n}`)]).toEqual(['v', 'v'])
  expect(last).toBeGreaterThan(200)
  await store.close()
})
