import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mailboxStoreContract } from '@skein/core/contracts'
import { openRelayStore } from '../relay-store.ts'
import { SqliteMailboxStore } from './sqlite-mailbox-store.ts'

mailboxStoreContract('SQLite', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skein-mailbox-'))
  let open = openRelayStore(dir)
  return {
    store: new SqliteMailboxStore(open.database),
    reopen: async () => {
      open[Symbol.dispose]()
      open = openRelayStore(dir)
      return new SqliteMailboxStore(open.database)
    },
    [Symbol.asyncDispose]: async () => {
      open[Symbol.dispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
})
