/** The API as an interface holds it, whatever lies between. */
import type { ContractRouterClient } from '@orpc/contract'
import type { contract } from './contract.ts'

export type ApiClient = ContractRouterClient<typeof contract>
