import { mailboxStoreContract } from './contracts/mailbox-store.ts'
import { MemoryMailboxStore } from './memory-mailbox-store.ts'

mailboxStoreContract('in memory', async () => {
  const store = new MemoryMailboxStore()
  return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => undefined }
})
