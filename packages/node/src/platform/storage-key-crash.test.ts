import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openStore } from '../store/index.ts'
import { clientStorageKey } from './storage-key-choice.ts'

const here = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => logger }

/** One first start after the other, each in a folder of its own, until it is killed. */
const program = (root: string): string => `
  import { mkdirSync } from 'node:fs'
  import { openStore } from ${here('../store/index.ts')}
  import { clientStorageKey } from ${here('storage-key-choice.ts')}
  const logger = { info: () => undefined, warn: () => undefined }
  for (let n = 0; ; n += 1) {
    const dataDir = ${JSON.stringify(root)} + '/' + n
    mkdirSync(dataDir)
    if (n === 1) process.stdout.write('begun')
    const storageKey = clientStorageKey({ dataDir, defaultDataDir: '', keyStorage: 'file', env: {}, logger })
    const store = await openStore({ path: dataDir + '/skein.sqlite', storageKey })
    await store.commit([{ kind: 'setting.put', key: 'k', value: 'v' }])
    await store.close()
  }`

async function killedAfter(root: string, ms: number): Promise<void> {
  const env = { ...process.env, NODE_COMPILE_CACHE: `${root}.compiled` }
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(root)], { stdio: ['ignore', 'pipe', 'inherit'], env })
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), ms))
  await once(child, 'close')
}

it('[ST23] a first start that is killed at any instant is made up for by the next', { timeout: 60_000 }, async () => {
  const top = mkdtempSync(join(tmpdir(), 'skein-first-'))
  for (let kill = 0; kill < 10; kill += 1) {
    const root = join(top, String(kill))
    mkdirSync(root)
    await killedAfter(root, kill * 2.3)
    for (const name of readdirSync(root)) {
      const dataDir = join(root, name)
      const storageKey = clientStorageKey({ dataDir, defaultDataDir: '', keyStorage: 'file', env: {}, logger })
      const store = await openStore({ path: join(dataDir, 'skein.sqlite'), storageKey })
      expect(store.restored).toBe(false)
      await store.close()
      expect(existsSync(join(dataDir, 'storage.key'))).toBe(true)
    }
  }
  rmSync(top, { recursive: true })
})
