/** Where the values of the configuration come from on Node.js: a file, the environment and flags, in rising order. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir, platform } from 'node:os'
import { join, resolve } from 'node:path'
import { SkeinError } from '@skein/core'
import en from 'zod/v4/locales/en.js'
import * as z from 'zod/mini'
import { replaceFile } from '../store/durable-file.ts'
import type { ConfigChange } from './assemble.ts'
import { type Config, DEFAULTS, parseConfig } from './config-schema.ts'

// What is wrong with a setting is said to people; the small form of the library, which pages load, has no words of its own.
z.config(en())

export { type Config, ConfigSchema, DEFAULTS } from './config-schema.ts'

export type Origin = 'default' | 'file' | 'environment' | 'flag'
export interface LoadedConfig {
  readonly config: Config
  readonly origins: Readonly<Record<keyof Config, Origin>>
}

const BOOLEAN: Readonly<Record<string, boolean>> = { true: true, '1': true, yes: true, false: false, '0': false, no: false }

function fromEnvironment(env: NodeJS.ProcessEnv): Record<string, unknown> {
  const raw = {
    name: env['SKEIN_NAME'],
    relays: env['SKEIN_RELAYS']?.split(/[\s,]+/).filter((url) => url !== ''),
    port: numberOf(env['SKEIN_PORT']),
    host: env['SKEIN_HOST'],
    lan: booleanOf(env['SKEIN_LAN']),
    portMapping: booleanOf(env['SKEIN_PORT_MAPPING']),
    page: booleanOf(env['SKEIN_PAGE']),
    mesh: booleanOf(env['SKEIN_MESH']),
    bridge: booleanOf(env['SKEIN_BRIDGE']),
    visibility: env['SKEIN_VISIBILITY'],
    mail: booleanOf(env['SKEIN_MAIL']),
    readReceipts: booleanOf(env['SKEIN_READ_RECEIPTS']),
    filesFolder: env['SKEIN_FILES_FOLDER'],
    expireMs: numberOf(env['SKEIN_EXPIRE_MS']),
    log: env['SKEIN_LOG'],
    keyStorage: env['SKEIN_KEY_STORAGE'],
  }
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined))
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))
/** What is no boolean stays as it is: the schema says what is wrong with it. */
const booleanOf = (text: string | undefined): boolean | string | undefined => (text === undefined ? undefined : (BOOLEAN[text] ?? text))

function fromFile(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {}
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new SkeinError('CONFIG_INVALID', `The configuration file ${file} is not a JSON object.`, { cause })
  }
}

/** The folder that holds everything of one node, unless named: per user, as the platform wants it. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (env['SKEIN_DATA_DIR']) return resolve(env['SKEIN_DATA_DIR'])
  if (platform() === 'win32') return join(env['LOCALAPPDATA'] ?? homedir(), 'Skein')
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Skein')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'skein')
}

export interface ConfigSources {
  readonly dataDir: string
  readonly env: NodeJS.ProcessEnv
  readonly flags: Readonly<Record<string, unknown>>
  /** Settings that differ from the defaults, as long as nobody has set them. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

/** @throws SkeinError CONFIG_INVALID with the first thing that is wrong */
export function loadConfig({ dataDir, env, flags, defaults = {} }: ConfigSources): LoadedConfig {
  const layers: readonly [Origin, Record<string, unknown>][] = [
    ['file', fromFile(join(dataDir, 'config.json'))],
    ['environment', fromEnvironment(env)],
    ['flag', { ...flags }],
  ]
  const merged: Record<string, unknown> = { ...DEFAULTS, ...defaults }
  const origins = Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, 'default'])) as Record<keyof Config, Origin>
  for (const [origin, layer] of layers) {
    for (const [key, value] of Object.entries(layer)) {
      merged[key] = value
      origins[key as keyof Config] = origin
    }
  }
  return { config: parseConfig(merged), origins }
}

/**
 * Writes a change into the file of the data directory; it counts from the next start.
 * @throws SkeinError CONFIG_INVALID also for what a flag or the environment decides, which the file could not change
 */
export function saveConfig({ dataDir, origins }: Pick<LoadedConfig, 'origins'> & { readonly dataDir: string }, change: ConfigChange): void {
  const decided = Object.keys(change).find((key) => ['flag', 'environment'].includes(origins[key as keyof Config]))
  if (decided !== undefined) throw new SkeinError('CONFIG_INVALID', `«${decided}» was given by flag or environment; change it there.`)
  const file = join(dataDir, 'config.json')
  const kept = { ...fromFile(file), ...change }
  parseConfig({ ...DEFAULTS, ...kept })
  replaceFile(file, `${JSON.stringify(kept, undefined, 2)}\n`)
}
