/** The swarm on Node.js. */
import { nativePrimitives } from '../platform/primitives.ts'
import { BulkChannels } from '../bulk/index.ts'
import { createPuncher } from '../punch/index.ts'
import { PunchTries } from './punch-tries.ts'
import { type BulkHost, withPaths } from './bulk-paths.ts'
import { getText } from './get-text.ts'
import { Libp2pSwarm, type SwarmOptions } from './libp2p-swarm.ts'
import { createStack, disguised } from './stack.ts'

/** Not started; nothing is opened yet. */
export function createSwarm(options: SwarmOptions): Libp2pSwarm {
  const createBulk = (host: BulkHost): BulkChannels => new BulkChannels(withPaths(host))
  return new Libp2pSwarm(options, {
    createStack,
    createDisguise: disguised,
    getText,
    primitives: nativePrimitives,
    createPuncher,
    createPunchTries: (deps) => new PunchTries(deps),
    createBulk,
  })
}
