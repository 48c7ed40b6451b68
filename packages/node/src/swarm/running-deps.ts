/** What a running swarm needs of what stays when it stops. */
import type { PunchTries, PunchTriesDeps } from './punch-tries.ts'
import type { DisguisedStack } from './disguise.ts'
import type { Clock, DeviceId, Logger, Random, RelayStatus } from '@skein/core'
import type { BulkChannels, BulkHandler } from '../bulk/index.ts'
import type { BulkHost } from './bulk-paths.ts'
import type { PunchDeps, Puncher } from '../punch/index.ts'
import type { GetText } from './asking.ts'
import type { RelayClock } from './relay-clock.ts'
import type { RecordJudge } from './stack-parts.ts'

export interface RunningDeps {
  readonly self: DeviceId
  readonly relays: readonly string[]
  /** Tokens that admit us to relays, by URL. */
  readonly relayTokens?: ReadonlyMap<string, string> | undefined
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly judge: RecordJudge
  readonly getText: GetText
  readonly relayClock: Pick<RelayClock, 'note'>
  /** A packet that belongs to no punch came to a socket for one. */
  readonly onGarbage?: (() => void) | undefined
  /** In a coordination of a punch the other side has said what cannot be. */
  readonly onForged?: (() => void) | undefined
  createDisguise(): Promise<DisguisedStack>
  /** A browser has none. */
  readonly createPuncher?: (deps: PunchDeps) => Puncher
  readonly createPunchTries?: (deps: PunchTriesDeps) => PunchTries
  /** A browser has none. */
  readonly createBulk?: (host: BulkHost) => BulkChannels
  /** By purpose. */
  readonly bulkHandlers: ReadonlyMap<string, BulkHandler>
  /** Devices whose connections are to be kept alive, relays not among them. */
  readonly kept: ReadonlySet<DeviceId>
  isRefused(device: DeviceId): boolean
  onOffence(device: DeviceId, code: string): void
  onConnected(device: DeviceId): void
  onDisconnected(device: DeviceId): void
  onAlive(device: DeviceId): void
  onRelay(relay: RelayStatus): void
  onBetterPath(device: DeviceId): void
}
