/** The mesh, as files see it. */
import type { DeviceId } from '../ids.ts'

/** `proven`: the recipient has it. `held`: carriers may take it. `lost`: nobody has it any more. */
export type BoxFate = 'proven' | 'held' | 'lost'

export interface BoxListener {
  /** Resolves to the proof of a box for this device once what lay in it is durable; to nothing if it is not wanted. */
  open(sealed: Uint8Array): Promise<Uint8Array | undefined>
  onFate(lock: string, fate: BoxFate): void
  /** There is a neighbour more. */
  onNear(): void
}

export interface ChunkCarrier {
  /** Whether anybody of the mesh is near. */
  readonly isNear: boolean
  /** Whether a way to a device is known that works. */
  hasRoute(device: DeviceId): boolean
  /**
   * @param chunk `content`: secret bytes that whoever opens it finds; `isSmall`: may flood
   * @returns its name in what the listener is told; nothing when there is neither a route nor room
   */
  carryChunk(
    device: DeviceId,
    chunk: { readonly sealed: Uint8Array; readonly content: Uint8Array; readonly isSmall: boolean },
  ): string | undefined
  /** Nobody is to carry it any longer. @param proof of its content */
  withdrawChunk(proof: Uint8Array): void
  /** What shows that `content` was opened. */
  proofOf(content: Uint8Array): Uint8Array
  listen(listener: BoxListener): void
}
