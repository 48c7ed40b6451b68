import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NodeFiles } from '../files/node-files.ts'
import { loadConfig } from './config.ts'
import { RunningConfig } from './running-config.ts'

it('what counts at once is described as it will be at the next start, with where it comes from; the rest as it is until then', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'skein-running-'))
  const start = (): RunningConfig => {
    const folder = new NodeFiles({ stateFolder: join(dataDir, 'files'), defaultFolder: join(dataDir, 'received') })
    return new RunningConfig({ ...loadConfig({ dataDir, env: {}, flags: {} }), dataDir, folder })
  }
  try {
    const running = start()
    expect(running.describe()['filesFolder']).toEqual({ value: join(dataDir, 'received'), origin: 'default' })
    expect(await running.change({ filesFolder: '/in' })).toBe(true)
    expect(running.describe()['filesFolder']).toEqual({ value: '/in', origin: 'file' })
    expect(await running.change({ name: 'Ana' })).toBe(false)
    expect(running.describe()['name']).toEqual({ value: '', origin: 'default' })
    expect(start().describe()).toMatchObject({ filesFolder: { value: '/in', origin: 'file' }, name: { value: 'Ana', origin: 'file' } })
  } finally {
    rmSync(dataDir, { recursive: true })
  }
})
