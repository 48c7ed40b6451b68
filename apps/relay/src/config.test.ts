import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { separateBootstrap } from './command-line.ts'
import { DEFAULT_PORTS, describedHost, hostPort, parseConfig, publicHost } from './config.ts'
import { loadOrCreateSeed } from './identity.ts'

const raw = { ...DEFAULT_PORTS, dataDir: '/d', host: '0.0.0.0', bootstrap: [], json: false, debug: false, debugIdentities: false }

describe('configuration', () => {
  it('names the host of its STUN ports by what is known best: a name, a web server in front, the address it listens on', () => {
    const hostOf = (more: object) => describedHost(parseConfig({ ...raw, ...more }))
    expect(hostOf({ frontUrl: 'https://relay.example:8443' })).toBe('relay.example')
    expect(hostOf({ frontUrl: 'https://relay.example', announceHost: '198.51.100.1' })).toBe('198.51.100.1')
    expect([hostOf({ host: '127.0.0.1' }), hostOf({})]).toEqual(['127.0.0.1', undefined])
  })

  it('takes ports as numbers, 0 and off', () => {
    const config = parseConfig({ ...raw, tcp: '0', ws: 'off' })
    expect([config.http, config.tcp, config.ws, config.https]).toEqual([8_080, 0, 'off', 'off'])
    expect(Object.isFrozen(config)).toBe(true)
  })

  it.each([
    [{ tcp: '65536' }],
    [{ tcp: '-1' }],
    [{ tcp: '' }],
    [{ host: 'name' }],
    [{ bootstrap: ['ftp://x'] }],
    [{ announceHost: 'a b' }],
    [{ extra: 1 }],
  ])('refuses %j as a usage error', (wrong) =>
    expect(() => parseConfig({ ...raw, ...wrong })).toThrow(expect.objectContaining({ code: 'USAGE' })),
  )

  it('knows under which host others reach it', () => {
    expect(publicHost({ host: '0.0.0.0', announceHost: undefined })).toBeUndefined()
    expect(publicHost({ host: '10.0.0.1', announceHost: undefined })).toBe('10.0.0.1')
    expect(publicHost({ host: '0.0.0.0', announceHost: 'relay.example' })).toBe('relay.example')
    expect(hostPort('::1', 80)).toBe('[::1]:80')
  })

  it('lets several relays follow --bootstrap on either side of the subcommand', () => {
    const separated = ['--bootstrap=http://a', '--bootstrap=http://b']
    expect(separateBootstrap(['--bootstrap', 'http://a', 'http://b', 'run'])).toEqual([...separated, 'run'])
    expect(separateBootstrap(['run', '--bootstrap', 'http://a', '--bootstrap', 'http://b', '--json'])).toEqual([
      'run',
      ...separated,
      '--json',
    ])
  })
})

describe('identity', () => {
  it('is made once, readable by its owner alone, and never silently replaced', () => {
    const dir = mkdtempSync(join(tmpdir(), 'skein-identity-'))
    const seed = loadOrCreateSeed(join(dir, 'new'))
    const file = join(dir, 'new', 'identity.seed')
    expect(seed).toHaveLength(32)
    expect(loadOrCreateSeed(join(dir, 'new'))).toEqual(seed)
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600)
    truncateSync(file, 31)
    expect(() => loadOrCreateSeed(join(dir, 'new'))).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }))
    rmSync(dir, { recursive: true })
  })
})
