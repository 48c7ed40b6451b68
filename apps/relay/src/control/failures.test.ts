import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LogFields, type Logger, SkeinError } from '@skein/core'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Membership } from '../admission/membership.ts'
import { openRelayStore } from '../relay-store.ts'
import { failureOf } from './failures.ts'
import { controlPath, perform, serveControl } from './socket.ts'

const PEER = '12D3KooWRBhwfeP2Y4TCx1SM6s9rUoHhR5STiGwxBhgFRcw3UERE'
const logged: [string, LogFields | undefined][] = []
const note = (event: string, fields?: LogFields): void => void logged.push([event, fields])
const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger }

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'skein-control-'))
  logged.length = 0
})
afterEach(() => rmSync(dataDir, { recursive: true }))

describe('what went wrong', () => {
  it('has a code that can be acted on, also when the system names it', () => {
    const codes = ['ENOSPC', 'SQLITE_FULL', 'EACCES', 'SQLITE_READONLY_DBMOVED', 'EMFILE', undefined]
    expect(codes.map((code) => failureOf(Object.assign(new Error('x'), { code })).code)).toEqual([
      'DISK_FULL',
      'DISK_FULL',
      'DATA_DIR_READ_ONLY',
      'DATA_DIR_READ_ONLY',
      'INTERNAL',
      'INTERNAL',
    ])
    expect(failureOf(new SkeinError('USAGE', 'so'))).toEqual({ code: 'USAGE', message: 'so' })
  })

  it('[RL24] a relay whose disk is full says that to the command and to its log', async () => {
    using store = openRelayStore(dataDir)
    // As a disk of which nothing is left.
    const full = new Database(':memory:')
    const membership = new Membership(full, Date.now)
    full.pragma(`max_page_count = ${String(full.pragma('page_count', { simple: true }))}`)
    await using _ = await serveControl({ dataDir, store, membership, logger })
    await expect(perform(dataDir, 'deny', { peer: PEER, note: 'n'.repeat(200) })).resolves.toBeDefined()
    const crowded = async (): Promise<void> => {
      for (let each = 0; each < 1_000; each += 1) await perform(dataDir, 'token-create', { label: 'l'.repeat(100) })
    }
    await expect(crowded()).rejects.toMatchObject({ code: 'DISK_FULL' })
    expect(logged.map(([event]) => event)).toEqual(['command-failed'])
  })

  it.skipIf(process.platform === 'win32')('whoever has no right to ask is told so', async () => {
    using store = openRelayStore(dataDir)
    await using _ = await serveControl({ dataDir, store, membership: new Membership(store.database, Date.now), logger })
    chmodSync(controlPath(dataDir), 0o000)
    await asOther(() => expect(perform(dataDir, 'status', {})).rejects.toMatchObject({ code: 'EACCES' }))
  })
})

const NOBODY = 65_534

/** As somebody else than root, who is let in everywhere. */
async function asOther(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(NOBODY)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}
