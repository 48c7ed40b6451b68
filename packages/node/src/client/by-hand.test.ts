import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { packed, unpacked } from './api/carry.ts'
import { meshView } from './api/mesh-view.ts'
import { createClient } from './client.ts'
import { loadConfig } from './config.ts'

it.each([
  ['no-lan', { lan: false }],
  ['option', { mesh: false }],
] as const)('[ME25] whoever keeps off every network, or has no neighbours, still carries by hand: %s', async (off, flags) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'skein-by-hand-'))
  const client = await createClient({ dataDir, ...loadConfig({ dataDir, env: {}, flags: { host: '127.0.0.1', ...flags } }) })
  try {
    expect(await packed(client.messenger, undefined)).toEqual({ bundles: [], next: null })
    expect(await unpacked(client.messenger, [])).toMatchObject({ taken: 0 })
    expect(meshView(client)).toMatchObject({ enabled: false, off, neighbours: [], capacity_bytes: 64 * 1_048_576 })
  } finally {
    await client.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
})
