/** What a mesh service needs, and what it tells. */
import type { Clock, Logger, Primitives, Random } from '../../ports/index.ts'
import type { PolicyName } from '../policies/index.ts'
import type { BundleArchive } from './bundle-archive.ts'
import type { ChunkFate } from './own-sender.ts'
import type { PieceParts } from './spreader.ts'

export interface MeshServiceDeps {
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly logger: Logger
  readonly archive: BundleArchive
  /** What it takes to send and receive in pieces; without it everything goes whole, and pieces are not opened. */
  readonly pieces?: PieceParts
  readonly policy?: PolicyName
  readonly capacityBytes?: number
  /** Delivery tags that are collected here at present, 16 bytes each. */
  tags(): Promise<readonly Uint8Array[]>
  /**
   * Opens an envelope for one of our tags; resolves to its cure key once what lay in it is durable, to nothing if it never opens.
   * @throws when it may open later
   */
  open(envelope: Uint8Array): Promise<Uint8Array | undefined>
  /** As `open`, for part of a file. */
  openChunk?(sealed: Uint8Array): Promise<Uint8Array | undefined>
  /** What has become of part of a file that was made here. */
  onChunk?(lock: string, fate: ChunkFate): void
  /** A neighbour holds a copy of the bundle behind this lock, which was made here. */
  onTaken(lock: string): void
  /** The recipient has opened the bundle behind this lock, which was made here. */
  onProven(lock: string): void
  /** The bundle behind this lock, which was made here, has expired, or is here no longer. */
  onExpired(lock: string): void
  /** Has all carried that waits for devices which are not reached, whether anybody is near or not: it is to go by hand. */
  offerAll?(): Promise<void>
  /** There is a neighbour more. */
  onNear(): void
  /** Whether a peer is a device of a contact; without it none is. */
  isContact?(peer: string): boolean
  /** A neighbour broke the rules. */
  onOffence(peer: string, code: string): void
}

export interface EnvelopeToCarry {
  readonly envelope: Uint8Array
  /** 16 bytes that the recipient finds when it opens the envelope. */
  readonly cureKey: Uint8Array
}
