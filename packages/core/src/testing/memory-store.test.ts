import { storeContract } from './contracts/index.ts'
import { MemoryStore } from './memory-store.ts'

storeContract('memory', async () => {
  let current = new MemoryStore()
  return {
    get store() {
      return current
    },
    reopen: async () => {
      current = current.reopened()
      return current
    },
    [Symbol.asyncDispose]: async () => current.close(),
  }
})
