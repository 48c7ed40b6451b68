import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@skein/core'
import { expect, it } from 'vitest'
import type { Keychain } from './keychain.ts'
import { nativePrimitives } from './primitives.ts'
import { storageKeySource, type StorageKeyOptions } from './storage-key.ts'
import { preferredPlace } from './storage-key-choice.ts'
import { systemRandom } from './system.ts'

interface Place extends Disposable {
  readonly dir: string
  readonly warnings: string[]
  readonly entries: Map<string, Uint8Array>
  source(more?: Partial<StorageKeyOptions>): (need: 'new' | 'existing') => Promise<Uint8Array>
}

function memoryKeychain(entries: Map<string, Uint8Array>): Keychain {
  return {
    get: (entry) => Promise.resolve(entries.get(entry) ?? null),
    put: (entry, secret) => Promise.resolve(entries.set(entry, secret).has(entry)),
    remove: (entry) => Promise.resolve(entries.delete(entry)),
  }
}

const DEAD: Keychain = { get: () => Promise.resolve('no-answer'), put: () => Promise.resolve(false), remove: () => Promise.resolve(false) }

function place(): Place {
  const dir = mkdtempSync(join(tmpdir(), 'skein-key-'))
  const warnings: string[] = []
  const entries = new Map<string, Uint8Array>()
  const quiet = (): void => undefined
  const logger: Logger = { debug: quiet, info: quiet, warn: (event) => void warnings.push(event), error: quiet, child: () => logger }
  const usual: StorageKeyOptions = {
    dataDir: dir,
    keyStorage: 'auto',
    preferred: 'file',
    passphrase: () => Promise.resolve('correct horse'),
    keychain: memoryKeychain(entries),
    primitives: nativePrimitives,
    random: systemRandom,
    logger,
  }
  const source: Place['source'] = (more = {}) => storageKeySource({ ...usual, ...more })
  return { dir, warnings, entries, source, [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) }
}

const hasModes = process.platform !== 'win32'

it('[ST25] a key file is made once, whole, for the user alone', async () => {
  using at = place()
  const keys = await Promise.all([at.source()('new'), at.source()('new'), at.source()('existing')])
  expect(keys[0]).toHaveLength(32)
  expect(keys[1]).toEqual(keys[0])
  expect(keys[2]).toEqual(keys[0])
  expect(readdirSync(at.dir)).toEqual(['storage.key'])
  if (hasModes) expect(statSync(join(at.dir, 'storage.key')).mode & 0o777).toBe(0o600)
})

it.runIf(hasModes)('[ST25] a key file that others may read is repaired, with a warning', async () => {
  using at = place()
  const key = await at.source()('new')
  chmodSync(join(at.dir, 'storage.key'), 0o644)
  expect(await at.source()('existing')).toEqual(key)
  expect(statSync(join(at.dir, 'storage.key')).mode & 0o777).toBe(0o600)
  expect(at.warnings).toEqual(['key-file-was-open'])
})

it('[ST23] a key that is gone or damaged is an error that names the file, and nothing is written in its place', async () => {
  using at = place()
  await expect(at.source()('existing')).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringContaining('storage.key') as string,
  })
  expect(readdirSync(at.dir)).toEqual([])
  writeFileSync(join(at.dir, 'storage.key'), 'short')
  await expect(at.source()('new')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(readFileSync(join(at.dir, 'storage.key'), 'utf8')).toBe('short')
  writeFileSync(join(at.dir, 'storage-key.json'), '{"version":1,"kept":"cloud"}')
  await expect(at.source()('new')).rejects.toMatchObject({
    code: 'STORE_CORRUPT',
    message: expect.stringContaining('storage-key.json') as string,
  })
})

it('[ST26] a passphrase opens what it sealed; another, or none, is refused in a sentence', async () => {
  using at = place()
  const key = await at.source({ keyStorage: 'passphrase' })('new')
  expect(readdirSync(at.dir)).toEqual(['storage-key.json'])
  const record = JSON.parse(readFileSync(join(at.dir, 'storage-key.json'), 'utf8')) as Record<string, unknown>
  expect(record['argon2id']).toEqual({ memoryKib: 65_536, passes: 3, lanes: 1 })
  expect(readFileSync(join(at.dir, 'storage-key.json')).includes(Buffer.from(key).toString('base64'))).toBe(false)
  expect(await at.source()('existing')).toEqual(key)
  const wrong = at.source({ passphrase: () => Promise.resolve('wrong horse') })('existing')
  await expect(wrong).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: 'The passphrase is wrong.' })
  const none = at.source({ passphrase: () => Promise.resolve(undefined) })('existing')
  await expect(none).rejects.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('SKEIN_PASSPHRASE') as string })
})

it('[ST26] a passphrase is the same however its accents were typed, and salts differ', async () => {
  using one = place()
  using other = place()
  const typed = (text: string) => ({ keyStorage: 'passphrase', passphrase: () => Promise.resolve(text) }) as const
  const key = await one.source(typed('caf\u00e9'))('new')
  expect(await one.source(typed('cafe\u0301'))('existing')).toEqual(key)
  await other.source(typed('caf\u00e9'))('new')
  const salt = ({ dir }: Place): unknown => (JSON.parse(readFileSync(join(dir, 'storage-key.json'), 'utf8')) as { salt: string }).salt
  expect(salt(one)).not.toBe(salt(other))
})

it('[ST26] a cost that would hold up the start for hours is refused', async () => {
  using at = place()
  await at.source({ keyStorage: 'passphrase' })('new')
  const path = join(at.dir, 'storage-key.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('65536', '999999999'))
  await expect(at.source()('existing')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

it('[ST27] the keychain keeps the key; the folder only names the entry', async () => {
  using at = place()
  const key = await at.source({ preferred: 'keychain' })('new')
  expect([...at.entries.values()]).toEqual([key])
  expect(readdirSync(at.dir)).toEqual(['storage-key.json'])
  expect(await at.source()('existing')).toEqual(key)
  await expect(at.source({ keychain: DEAD })('existing')).rejects.toMatchObject({ code: 'TIMED_OUT' })
  at.entries.clear()
  await expect(at.source()('existing')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  await expect(at.source()('new')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
})

it('[ST27] without a keychain that works, `auto` takes a file and `keychain` says so', async () => {
  using at = place()
  await expect(at.source({ keyStorage: 'keychain', keychain: DEAD })('new')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect(readdirSync(at.dir)).toEqual([])
  await at.source({ preferred: 'keychain', keychain: DEAD })('new')
  expect(readdirSync(at.dir)).toEqual(['storage.key'])
})

it('[ST27] a node whose folder was named keeps its key there; a passphrase that is given is used', () => {
  const choice = {
    dataDir: '/data/ana',
    defaultDataDir: '/data/ana',
    keyStorage: 'auto',
    logger: undefined as never,
  } as const
  const desktop = { DISPLAY: ':0', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/user/1/bus' }
  expect(preferredPlace({ ...choice, env: desktop })).toBe('keychain')
  expect(preferredPlace({ ...choice, env: desktop, dataDir: '/tmp/x' })).toBe('file')
  expect(preferredPlace({ ...choice, env: { SKEIN_PASSPHRASE: 'x' }, dataDir: '/tmp/x' })).toBe('passphrase')
  if (process.platform === 'linux') expect(preferredPlace({ ...choice, env: {} })).toBe('file')
})

const FILES = { file: 'storage.key', keychain: 'storage-key.json', passphrase: 'storage-key.json' } as const
const MOVES = Object.keys(FILES).flatMap((from) => Object.keys(FILES).map((to) => [from, to] as const)) as (readonly [
  keyof typeof FILES,
  keyof typeof FILES,
])[]

it.each(MOVES)('[ST27] a key moves from %s to %s when the configuration says so, and leaves nothing behind', async (from, to) => {
  using at = place()
  const key = await at.source({ keyStorage: from })('new')
  expect(await at.source({ keyStorage: to })('existing')).toEqual(key)
  expect(readdirSync(at.dir)).toEqual([FILES[to]])
  expect(at.entries.size).toBe(to === 'keychain' ? 1 : 0)
  expect(await at.source()('existing')).toEqual(key)
})

it('[ST27] a move that was cut short is finished by the next start', async () => {
  using at = place()
  const key = await at.source({ keyStorage: 'file' })('new')
  const left = readFileSync(join(at.dir, 'storage.key'))
  writeFileSync(join(at.dir, 'storage.key.4711.part'), left, { mode: 0o600 })
  await at.source({ keyStorage: 'passphrase' })('existing')
  writeFileSync(join(at.dir, 'storage.key'), left, { mode: 0o600 })
  expect(await at.source({ keyStorage: 'passphrase' })('existing')).toEqual(key)
  expect(readdirSync(at.dir)).toEqual(['storage-key.json'])
})

it('[ST27] another key in a file that was left is not ours to delete', async () => {
  using at = place()
  await at.source({ keyStorage: 'passphrase' })('new')
  writeFileSync(join(at.dir, 'storage.key'), new Uint8Array(32), { mode: 0o600 })
  await at.source()('existing')
  expect(readdirSync(at.dir)).toEqual(['storage-key.json', 'storage.key'])
  await expect(at.source({ keyStorage: 'file' })('existing')).rejects.toMatchObject({ code: 'STORE_CORRUPT' })
  expect(readdirSync(at.dir)).toEqual(['storage-key.json', 'storage.key'])
})
