/** The swarm on Node.js. */
import { nativePrimitives } from '../platform/primitives.ts'
import { BulkChannels, type BulkDeps } from '../bulk/index.ts'
import { createPuncher } from '../punch/index.ts'
import { getText } from './get-text.ts'
import { Libp2pSwarm, type SwarmOptions } from './libp2p-swarm.ts'
import { createStack, disguised } from './stack.ts'

/** Not started; nothing is opened yet. */
export function createSwarm(options: SwarmOptions): Libp2pSwarm {
  const createBulk = (deps: BulkDeps): BulkChannels => new BulkChannels(deps)
  return new Libp2pSwarm(options, {
    createStack,
    createDisguise: disguised,
    getText,
    primitives: nativePrimitives,
    createPuncher,
    createBulk,
  })
}
