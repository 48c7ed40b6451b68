/** What every handler of the contract starts from: the client, and failures that a caller elsewhere understands. */
import { implement } from '@orpc/server'
import type { Client } from '../assemble.ts'
import { contract } from './contract.ts'
import { toApiError } from './errors.ts'

export interface ApiContext {
  readonly client: Client
}

export const os = implement(contract)
  .$context<ApiContext>()
  .use(async ({ next }) => {
    try {
      return await next()
    } catch (error) {
      throw toApiError(error)
    }
  })
