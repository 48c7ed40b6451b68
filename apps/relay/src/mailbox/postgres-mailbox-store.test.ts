import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailboxStoreContract } from '@skein/core/contracts'
import { Client } from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { PostgresMailboxStore } from './postgres-mailbox-store.ts'

/** Where distributions put the server's programs, the newest first. */
function programs(): string | undefined {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).toSorted((a, b) => Number(b) - Number(a)) : []
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')))
}

const bin = programs()

/** PostgreSQL refuses to run as root; its own user is there when its package is. */
function asServer(program: string, ...args: readonly string[]): void {
  const isRoot = process.getuid?.() === 0
  const command = join(bin ?? '', program)
  const done = isRoot
    ? spawnSync('setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'ignore', 'pipe'],
      })
    : spawnSync(command, [...args], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] })
  if (done.status !== 0) throw new Error(`${program}: ${done.stderr}`)
}

// Where no server is installed (Debian: postgresql) these are skipped.
describe.skipIf(bin === undefined)('with a server of its own', () => {
  let dir = ''
  let databases = 0
  const url = (name: string): string => `postgres://tester@/${name}?host=${encodeURIComponent(dir)}`

  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'skein-pg-'))
    if (process.getuid?.() === 0) chownSync(dir, uidOf('postgres'), -1)
    const data = join(dir, 'data')
    asServer('initdb', '-D', data, '-U', 'tester', '-A', 'trust', '--no-sync')
    // No port: only the socket in our own folder.
    asServer('pg_ctl', '-D', data, '-w', '-l', join(dir, 'log'), '-o', `-c listen_addresses='' -k ${dir}`, 'start')
  }, 120_000)

  afterAll(() => {
    asServer('pg_ctl', '-D', join(dir, 'data'), '-m', 'immediate', '-w', 'stop')
    rmSync(dir, { recursive: true, force: true })
  }, 60_000)

  mailboxStoreContract('PostgreSQL', async () => {
    databases += 1
    const name = `mail${databases}`
    const admin = new Client({ connectionString: url('postgres') })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    let store = await PostgresMailboxStore.open(url(name))
    return {
      store,
      reopen: async () => {
        await store.close()
        store = await PostgresMailboxStore.open(url(name))
        return store
      },
      [Symbol.asyncDispose]: () => store.close(),
    }
  })
})

function uidOf(user: string): number {
  return Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout)
}
