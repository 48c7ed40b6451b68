/** What a relay passes on to its community: presences that each member would take, and nothing else (RL31). */
import { isSkeinError } from '../errors/index.ts'
import { type DeviceId, deviceIdFromKey } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Primitives } from '../ports/primitives.ts'
import type { TopicVerdict } from '../ports/swarm.ts'
import { decodePresence, decodePresenceFrame } from '../wire/presence.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { communityNetwork, type NetworkId, openPresence } from './statements.ts'

/** Devices whose last presence is known, some 300 bytes each; the one heard of longest ago goes. */
const MAX_KNOWN = 8_192

export interface PresenceHubDeps {
  readonly primitives: Primitives
  readonly clock: Clock
  readonly relay: DeviceId
}

interface Known {
  readonly at: number
  readonly signed: SignedBytes
}

export class PresenceHub {
  private readonly deps: PresenceHubDeps
  private readonly network: NetworkId
  /** What has been found genuine: members repeat each other, and a signature is checked once. */
  private readonly known = new Map<DeviceId, Known>()

  constructor(deps: PresenceHubDeps) {
    this.deps = deps
    this.network = communityNetwork(deps.primitives, deps.relay)
  }

  /** @param mayVerify asked before each signature that is checked; what may not be checked is not passed on */
  judge(bytes: Uint8Array, mayVerify: () => boolean): TopicVerdict {
    try {
      const frame = decodePresenceFrame(bytes)
      if (!this.isNews(frame.own)) return 'ignore'
      const others = frame.kind === 'presence' ? [] : frame.heard.map(({ signed }) => signed)
      return [frame.own, ...others].every((signed) => this.isGenuine(signed, mayVerify)) ? 'accept' : 'ignore'
    } catch (error) {
      // A clock that is off is no offence.
      return isSkeinError(error, 'REPLAYED') ? 'ignore' : 'reject'
    }
  }

  private isNews({ statement }: SignedBytes): boolean {
    const { deviceKey, at } = decodePresence(statement)
    return at > (this.known.get(deviceIdFromKey(deviceKey))?.at ?? Number.NEGATIVE_INFINITY)
  }

  /** `false` when it may not be checked. @throws SkeinError when it is not genuine */
  private isGenuine(signed: SignedBytes, mayVerify: () => boolean): boolean {
    const { deviceKey, at } = decodePresence(signed.statement)
    const device = deviceIdFromKey(deviceKey)
    const known = this.known.get(device)
    if (known !== undefined && isSame(known.signed, signed)) return true
    if (!mayVerify()) return false
    openPresence(this.deps.primitives, signed, { network: this.network, now: this.deps.clock.now() })
    if (at > (known?.at ?? Number.NEGATIVE_INFINITY)) this.remember(device, { at, signed })
    return true
  }

  private remember(device: DeviceId, known: Known): void {
    this.known.delete(device)
    this.known.set(device, known)
    const [oldest] = this.known.keys()
    if (this.known.size > MAX_KNOWN && oldest !== undefined) this.known.delete(oldest)
  }
}

function isSame(a: SignedBytes, b: SignedBytes): boolean {
  return isEqual(a.signature, b.signature) && isEqual(a.statement, b.statement)
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => b[at] === byte)
}
