/**
 * Connections with throw-away keys: one small libp2p for each disguise, made when it is needed and ended when its last
 * channel has closed. A relay sees a key that it has never seen and never sees again; it does see the address.
 */
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Upgrader } from '@libp2p/interface'
import type { Channel, Clock, Logger, OpenOutcome, ProtocolId } from '@skein/core'
import { createLibp2p, type Libp2p, type Libp2pInit } from 'libp2p'
import type { Transports } from './client-stack.ts'
import { DIAL_TIMEOUT_MS } from './constants.ts'
import { dialRelay } from './dial-race.ts'
import { reasonOf } from './dialling.ts'
import { asError, StreamChannel } from './framing.ts'
import type { RelayDescription } from './relay-description.ts'
import { presumeEncryption } from './presumed.ts'
import { securedAndMuxed } from './stack-parts.ts'

/** Disguises that are on at once: the one used longest ago ends for another. */
const MAX_DISGUISES = 16

export type DisguisedStack = Libp2p<{ transports: Pick<Transports, 'transportManager'> }>

/** A libp2p without a name: it listens nowhere and runs nothing. @throws Error of libp2p */
export async function createDisguise(transports: NonNullable<Libp2pInit['transports']>): Promise<DisguisedStack> {
  return createLibp2p({
    privateKey: await generateKeyPair('Ed25519'),
    transports,
    ...securedAndMuxed(),
    // Asks nothing and tells nothing: no identify, no ping.
    services: {
      encryption: ({ upgrader }: { readonly upgrader: Upgrader }) => presumeEncryption(upgrader),
      transports: ({ transportManager }: Pick<Transports, 'transportManager'>) => ({ transportManager }),
    },
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: { reconnectRetries: 0, dialTimeout: DIAL_TIMEOUT_MS, addressDialTimeout: DIAL_TIMEOUT_MS },
    connectionMonitor: { enabled: false },
  })
}

export interface DisguisesDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly stopping: AbortSignal
  create(): Promise<DisguisedStack>
  onOffence(code: string): void
}

interface Disguise {
  readonly node: Promise<DisguisedStack>
  channels: number
}

export class Disguises {
  private readonly deps: DisguisesDeps
  private readonly worn = new Map<string, Disguise>()

  constructor(deps: DisguisesDeps) {
    this.deps = deps
    deps.stopping.addEventListener('abort', () => this.endAll(), { once: true })
  }

  /** Never throws because the relay is away. */
  async open(
    relay: RelayDescription,
    protocol: ProtocolId,
    { name, signal }: { readonly name: string; readonly signal: AbortSignal },
  ): Promise<OpenOutcome> {
    const disguise = this.wear(name)
    disguise.channels += 1
    try {
      const stream = await this.dial(await disguise.node, relay, { protocol, signal })
      stream.addEventListener('close', () => this.leave(name, disguise))
      const events = { onFrame: () => undefined, onOffence: (code: string) => this.deps.onOffence(code) }
      const channel: Channel = new StreamChannel(stream, relay.device, events)
      return { kind: 'open', channel }
    } catch (error) {
      this.leave(name, disguise)
      this.deps.logger.debug('disguise-failed', { reason: String(error) })
      return { kind: 'absent', reason: this.deps.stopping.aborted ? 'stopped' : reasonOf(error) }
    }
  }

  private async dial(node: DisguisedStack, relay: RelayDescription, { protocol, signal }: { protocol: ProtocolId; signal: AbortSignal }) {
    const limited = AbortSignal.any([signal, this.deps.stopping, AbortSignal.timeout(DIAL_TIMEOUT_MS)])
    const connection = await dialRelay(node, relay, { clock: this.deps.clock, signal: limited })
    return connection.newStream(protocol, { signal: limited })
  }

  private wear(name: string): Disguise {
    const known = this.worn.get(name)
    if (known !== undefined) return known
    const [oldest] = this.worn.keys()
    if (this.worn.size >= MAX_DISGUISES && oldest !== undefined) this.end(oldest)
    const made: Disguise = { node: this.deps.create(), channels: 0 }
    made.node.catch(() => this.worn.delete(name))
    this.worn.set(name, made)
    return made
  }

  private leave(name: string, disguise: Disguise): void {
    disguise.channels -= 1
    if (disguise.channels === 0 && this.worn.get(name) === disguise) this.end(name)
  }

  private end(name: string): void {
    const disguise = this.worn.get(name)
    this.worn.delete(name)
    void disguise?.node
      .then(
        (node) => node.stop(),
        () => undefined,
      )
      .catch((error: unknown) => this.deps.logger.debug('disguise-not-ended', { reason: asError(error).message }))
  }

  private endAll(): void {
    for (const name of [...this.worn.keys()]) this.end(name)
  }
}
