/** `skein-relay init`: key, settings and a first token, before anything runs. Running it again changes nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import { peerIdFromSeed } from '@skein/node/swarm'
import type { RelayConfig } from '../config.ts'
import { loadOrCreateSeed } from '../identity.ts'
import { perform } from '../control/socket.ts'
import { changeSettings, loadSettings, parseSettings } from '../settings.ts'
import { ownMemberUrl, presentWithJoin } from './join.ts'

/** @throws SkeinError USAGE, CONFIG_INVALID, DATA_DIR_READ_ONLY */
export async function initialise(config: RelayConfig, { mode }: { readonly mode: string | undefined }): Promise<void> {
  const isNew = !existsSync(join(config.dataDir, 'identity.seed'))
  // Settings first: a relay that has a key and no settings would be open to everybody. The key last: without it all is done again.
  const settings = isNew && mode !== undefined ? changeSettings(config.dataDir, { mode }) : loadSettings(config.dataDir)
  if (mode !== undefined && settings.mode !== parseSettings({ mode }).mode)
    throw new SkeinError(
      'USAGE',
      `The relay in ${config.dataDir} admits by «${settings.mode}»; change that with: skein-relay limits mode=${mode}`,
    )
  const token = isNew && settings.mode === 'token' ? await firstToken(config.dataDir) : null
  const seed = loadOrCreateSeed(config.dataDir)
  const url = ownMemberUrl(config)
  const result = { peer_id: await peerIdFromSeed(seed), data_dir: config.dataDir, mode: settings.mode, url, token, created: isNew }
  presentWithJoin(result, url, config)
}

async function firstToken(dataDir: string): Promise<string> {
  const { token } = await perform(dataDir, 'token-create', { label: 'first' })
  return String(token)
}
