import { spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BoxState, BoxVerdict, MailDeposit } from '@skein/core'
import { mailboxStoreContract } from '@skein/core/contracts'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

  const freshDatabase = async (): Promise<string> => {
    databases += 1
    const name = `mail${databases}`
    const admin = new Client({ connectionString: url('postgres') })
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name}`)
    await admin.end()
    return name
  }

  mailboxStoreContract('PostgreSQL', async () => {
    const name = await freshDatabase()
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

  it('[MB2] who has no token leaves nothing behind, under however many tags', async () => {
    const name = await freshDatabase()
    const store = await PostgresMailboxStore.open(url(name))
    const mail = (number: number): MailDeposit => ({
      ...{ tag: `made up ${number}`, envelope: new Uint8Array(100), digest: new Uint8Array(32).fill(number), storedAt: 0, expiresAt: 9e12 },
      token: undefined,
    })
    const verdicts = await store.deposit([mail(1), mail(2), mail(1)], () => ({ kind: 'refuse', why: 'token-wanted' }))
    expect(verdicts).toHaveLength(3)
    const client = new Client({ connectionString: url(name) })
    await client.connect()
    expect((await client.query('SELECT count(*)::int AS boxes FROM boxes')).rows).toEqual([{ boxes: 0 }])
    await Promise.all([store.close(), client.end()])
  }, 120_000)

  it('[MB8] two relays at once: no cursor becomes visible behind a larger one, and a token that both are shown pays once', async () => {
    const name = await freshDatabase()
    const [one, other] = [await PostgresMailboxStore.open(url(name)), await PostgresMailboxStore.open(url(name))]
    const judge = (_: MailDeposit, { spent }: BoxState): BoxVerdict =>
      spent ? { kind: 'refuse', why: 'token-spent' } : { kind: 'store', allowance: 63 }
    const mail = (tag: string, number: number, nonce: number): MailDeposit => ({
      ...{ tag, envelope: new Uint8Array(100).fill(number), digest: new Uint8Array(32).fill(number), storedAt: 0, expiresAt: 9e12 },
      token: { nonce: new Uint8Array(32).fill(nonce), until: 9e12 },
    })
    const gate = new Client({ connectionString: url(name) })
    await gate.connect()
    const waiting = async (): Promise<number> =>
      Number((await gate.query("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")).rows[0].count)
    // A relay that has its cursor, and is slow to commit.
    await gate.query(`CREATE FUNCTION wait() RETURNS trigger AS $$ BEGIN PERFORM pg_advisory_xact_lock(42); RETURN NULL; END $$ LANGUAGE plpgsql;
      CREATE TRIGGER slow AFTER INSERT ON mail FOR EACH ROW WHEN (NEW.tag = 'slow') EXECUTE FUNCTION wait();
      SELECT pg_advisory_lock(42)`)
    const slow = one.deposit([mail('slow', 1, 1)], judge)
    await expect.poll(waiting, { timeout: 60_000 }).toBe(1)
    let isFastDone = false
    const fast = other.deposit([mail('fast', 2, 1), mail('fast', 3, 2)], judge).finally(() => (isFastDone = true))
    await expect.poll(async () => isFastDone || (await waiting()) === 2, { timeout: 60_000 }).toBe(true)
    const query = { tags: ['slow', 'fast'], limit: 9, maxBytes: 60_000, now: 0 }
    const first = await other.fetch({ ...query, after: 0 })
    await gate.query('SELECT pg_advisory_unlock(42)')
    const kinds = (await Promise.all([slow, fast])).flat().map((verdict) => ('why' in verdict ? verdict.why : verdict.kind))
    expect(kinds).toEqual(['store', 'token-spent', 'store'])
    const rest = await other.fetch({ ...query, after: first.at(-1)?.cursor ?? 0 })
    expect([...first, ...rest].map(({ envelope }) => envelope[0])).toEqual([1, 3])
    await Promise.all([one.close(), other.close(), gate.end()])
  }, 120_000)
})

function uidOf(user: string): number {
  return Number(spawnSync('id', ['-u', user], { encoding: 'utf8' }).stdout)
}
