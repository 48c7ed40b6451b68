/**
 * The port that a home router has opened for this machine: told to others among our addresses, and to them that it is one,
 * by a protocol that is there for its name alone, so that both sides can say what their path is.
 */
import type { Connection, IdentifyResult } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { DeviceId } from '@skein/core'
import type { Stack } from './client-stack.ts'
import { deviceOf } from './connections.ts'

export const MAPPED_PROTOCOL = '/skein/mapped/1'
/** The library forgets addresses that nobody confirms; this one is looked after by who has it. */
const FOR_EVER_MS = 365 * 86_400_000
/** Devices of which it is remembered. */
export const MAX_MAPPED = 4_096

/** TCP over IPv4. */
export interface OutsideAddress {
  readonly host: string
  readonly port: number
  readonly internalHost: string
  readonly internalPort: number
}

export interface MappedDeps {
  /** Devices that matter: others make room for them. */
  readonly kept: ReadonlySet<DeviceId>
  /** A device that had no such port has one now. */
  onMapped(device: DeviceId): void
}

export class Mapped {
  private readonly stack: Stack
  private readonly deps: MappedDeps
  private readonly others = new Set<DeviceId>()
  private own: OutsideAddress | undefined

  constructor(stack: Stack, deps: MappedDeps) {
    this.stack = stack
    this.deps = deps
    stack.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => this.note(detail))
  }

  /** Nothing: the port is not ours any more. */
  async announce(outside: OutsideAddress | undefined): Promise<void> {
    const { addressManager } = this.stack.services.transports
    const { own } = this
    this.own = outside
    if (own !== undefined) addressManager.removePublicAddressMapping(own.internalHost, own.internalPort, own.host, own.port, 'tcp')
    if (outside === undefined) return this.stack.unhandle(MAPPED_PROTOCOL)
    await this.stack.handle(MAPPED_PROTOCOL, (stream) => stream.abort(new Error('there is nothing to talk about')), { force: true })
    const { internalHost, internalPort, host, port } = outside
    addressManager.addPublicAddressMapping(internalHost, internalPort, host, port, 'tcp')
    addressManager.confirmObservedAddr(multiaddr(`/ip4/${host}/tcp/${port}`), { type: 'ip-mapping', ttl: FOR_EVER_MS })
  }

  /** Whether a direct connection goes through the opened port of the side that was dialled. */
  leads({ direction, remoteAddr, remotePeer }: Connection): boolean {
    if (!/^\/ip4\/[^/]+\/tcp\/\d+(\/p2p\/|$)/.test(remoteAddr.toString())) return false
    const device = deviceOf(remotePeer)
    return direction === 'inbound' ? this.own !== undefined : device !== undefined && this.others.has(device)
  }

  private note({ peerId, protocols }: IdentifyResult): void {
    const device = deviceOf(peerId)
    if (device === undefined) return
    if (!protocols.includes(MAPPED_PROTOCOL)) this.others.delete(device)
    else if (!this.others.has(device)) {
      if (this.others.size >= MAX_MAPPED) this.forgetOne()
      this.others.add(device)
      this.deps.onMapped(device)
    }
  }

  /** The first stranger, of whom there may be any number under made-up names. */
  private forgetOne(): void {
    const [oldest] = this.others
    const goes = [...this.others].find((each) => !this.deps.kept.has(each)) ?? oldest
    if (goes !== undefined) this.others.delete(goes)
  }
}
