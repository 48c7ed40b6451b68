import { isSkeinError } from '../../errors/index.ts'
import type { Primitives } from '../../ports/index.ts'
import { bundleHeader, isAbsurd, isRelayable, type MeshAddress } from '../bundle.ts'
import type { Dispatch, Verdict } from '../routes/index.ts'
import type { ClockDoubt } from './clock-doubt.ts'

export interface VerdictDeps {
  readonly primitives: Pick<Primitives, 'sha256'>
  readonly addresses: ReadonlySet<MeshAddress>
  /** Milliseconds since 1970. */
  readonly now: number
  readonly clocks: ClockDoubt
  /** Who has brought it. */
  readonly peer: string
}

/** What a bundle on its way is. Nothing is passed on in its last minute; whoever it is for takes it until the end. */
export function verdictOf({ key, address, lock, payload }: Dispatch, { primitives, addresses, now, clocks, peer }: VerdictDeps): Verdict {
  try {
    const header = bundleHeader(payload, primitives)
    if (header.key !== key || header.address !== address || header.lock !== lock) return 'forged'
    clocks.brought(peer, header, now)
    const ends = addresses.has(address) ? header.expiresAt <= now : !isRelayable(header, now)
    if (!ends && !isAbsurd(header, now)) return 'sound'
    return clocks.forgives(peer) ? 'other-time' : 'late'
  } catch (error) {
    if (isSkeinError(error)) return 'forged'
    throw error
  }
}
