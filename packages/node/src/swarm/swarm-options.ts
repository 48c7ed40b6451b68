/** What the swarm is made with. */
import type { PunchTries, PunchTriesDeps } from './punch-tries.ts'
import type { Clock, Logger, Primitives, Random } from '@skein/core'
import type { BulkChannels } from '../bulk/index.ts'
import type { PunchDeps, Puncher } from '../punch/index.ts'
import type { BulkHost } from './bulk-paths.ts'
import type { ListenOptions, Stack, StackOptions } from './client-stack.ts'
import type { DisguisedStack } from './disguise.ts'
import type { GetText } from './asking.ts'
import type { RecordJudge } from './stack-parts.ts'

export interface SwarmOptions {
  /** Ed25519 seed of the device, 32 bytes. */
  readonly privateKeySeed: Uint8Array
  /** URLs of the user's relays. */
  readonly relays: readonly string[]
  /** Tokens that admit us to relays, by URL. */
  readonly relayTokens?: ReadonlyMap<string, string> | undefined
  readonly listen: ListenOptions
  readonly logger: Logger
  readonly clock: Clock
  readonly random: Random
  /** Which records may stand in the DHT. */
  readonly judge: RecordJudge
  /** A packet that belongs to no punch came to a socket for one. */
  readonly onGarbage?: (() => void) | undefined
  /** In a coordination of a punch the other side has said what cannot be. */
  readonly onForged?: (() => void) | undefined
}

/** What differs between Node.js and a browser. */
export interface SwarmPlatform {
  /** libp2p, not started. @throws Error of libp2p */
  createStack(options: StackOptions): Promise<Stack>
  /** libp2p with a throw-away key, started. @throws Error of libp2p */
  createDisguise(): Promise<DisguisedStack>
  readonly getText: GetText
  readonly primitives: Pick<Primitives, 'ed25519PublicKey'>
  readonly createPuncher?: (deps: PunchDeps) => Puncher
  readonly createPunchTries?: (deps: PunchTriesDeps) => PunchTries
  readonly createBulk?: (host: BulkHost) => BulkChannels
}
