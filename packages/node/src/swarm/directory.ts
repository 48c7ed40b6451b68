/** Core's Directory: cards lie with relays, records in the DHT. */
import {
  CARD_PROTOCOL,
  type CardReplyFrame,
  type CardRequestFrame,
  decodeCardReply,
  type DeviceId,
  encodeCardRequest,
  type FindOptions,
  type Logger,
  type OpenOutcome,
  type ProtocolId,
  SkeinError,
} from '@skein/core'
import { askAdmission } from './admission.ts'
import { exchange } from './exchange.ts'
import { DHT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './constants.ts'
import type { OpenOptions } from './channels.ts'
import type { LateDht } from './late-dht.ts'
import type { RelayDescription } from './relay-description.ts'
import { recordKey, type RecordJudge } from './stack-parts.ts'

export interface DirectoryDeps {
  readonly dht: Pick<LateDht, 'forLookUp' | 'whenQuiet'>
  readonly judge: RecordJudge
  readonly logger: Logger
  readonly stopping: AbortSignal
  joinedRelays(): readonly RelayDescription[]
  /** @throws SkeinError RELAY_UNREACHABLE */
  describe(url: string): Promise<RelayDescription>
  open(device: DeviceId, protocol: ProtocolId, options: OpenOptions): Promise<OpenOutcome>
}

export class RelayDirectory {
  private readonly deps: DirectoryDeps

  constructor(deps: DirectoryDeps) {
    this.deps = deps
  }

  async leaveCard(key: Uint8Array, value: Uint8Array, expiresAt: number): Promise<number> {
    const request: CardRequestFrame = { kind: 'put', key, value, expiresAt }
    const left = await Promise.all(this.deps.joinedRelays().map(({ device }) => this.tryAsk(device, request)))
    return left.filter((reply) => reply?.outcome === 'ok').length
  }

  async registerInvite(hash: Uint8Array, expiresAt: number): Promise<void> {
    const request = { kind: 'register', hash, expiresAt } as const
    await Promise.all(this.deps.joinedRelays().map(({ device }) => askAdmission(this.deps, device, { request, via: device })))
  }

  async showInvite(proof: Uint8Array, relayUrl: string): Promise<void> {
    const { device } = await this.deps.describe(relayUrl)
    await askAdmission(this.deps, device, { request: { kind: 'invite', proof }, via: relayUrl })
  }

  /** @throws SkeinError RELAY_UNREACHABLE */
  async fetchCard(key: Uint8Array, relayUrl: string, options: { readonly signal?: AbortSignal } = {}): Promise<Uint8Array | null> {
    const { device } = await this.deps.describe(relayUrl)
    const reply = await this.ask(device, { kind: 'get', key }, { ...options, relays: [relayUrl] })
    return reply.outcome === 'ok' ? reply.value : null
  }

  /** True when at least one other node has taken the record. */
  async publishRecord(key: Uint8Array, record: Uint8Array): Promise<boolean> {
    let taken = false
    try {
      const dht = await this.deps.dht.whenQuiet()
      for await (const event of dht.put(recordKey(key), record, { signal: this.limit(DHT_TIMEOUT_MS) })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken = true
      }
    } catch (error) {
      this.deps.logger.debug('record-not-published', { reason: String(error) })
    }
    return taken
  }

  async findRecord(key: Uint8Array, { signal, isPatient = false }: FindOptions = {}): Promise<Uint8Array | null> {
    let best: Uint8Array | null = null
    try {
      const { dht: late } = this.deps
      const dht = await (isPatient ? late.whenQuiet() : late.forLookUp())
      for await (const event of dht.get(recordKey(key), { signal: this.limit(DHT_TIMEOUT_MS, signal) })) {
        if (event.name !== 'VALUE' || !this.deps.judge.verify(key, event.value)) continue
        // A copy: the library gives Buffers, whose `slice` shares memory.
        if (best === null || this.deps.judge.isNewer(event.value, best)) best = new Uint8Array(event.value)
      }
    } catch (error) {
      this.deps.logger.debug('record-not-found', { reason: String(error) })
    }
    return best
  }

  private async tryAsk(relay: DeviceId, request: CardRequestFrame): Promise<CardReplyFrame | undefined> {
    try {
      return await this.ask(relay, request, {})
    } catch (error) {
      this.deps.logger.debug('card-not-left', { relay, reason: String(error) })
      return undefined
    }
  }

  private async ask(relay: DeviceId, request: CardRequestFrame, options: OpenOptions): Promise<CardReplyFrame> {
    const signal = this.limit(REQUEST_TIMEOUT_MS, options.signal)
    const outcome = await this.deps.open(relay, CARD_PROTOCOL, { ...options, signal })
    const reply = outcome.kind === 'open' ? await exchange(outcome.channel, encodeCardRequest(request), signal) : undefined
    if (reply === undefined)
      throw new SkeinError('RELAY_UNREACHABLE', 'The relay does not answer a request for a card.', { data: { relay } })
    return decodeCardReply(reply)
  }

  private limit(ms: number, signal?: AbortSignal): AbortSignal {
    return AbortSignal.any([this.deps.stopping, AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])])
  }
}
