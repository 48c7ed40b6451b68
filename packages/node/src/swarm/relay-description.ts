/** What a relay says about itself at `<url>/relay.json`. */
import { multiaddr } from '@multiformats/multiaddr'
import { type Clock, type DeviceId, parseDeviceId, SkeinError } from '@skein/core'
import * as z from 'zod/mini'
import { DESCRIPTION_AGE_MS, DESCRIPTION_TIMEOUT_MS, MAX_DESCRIPTION_BYTES, MAX_DESCRIPTIONS, MAX_RELAY_ADDRESSES } from './constants.ts'
import type { GetText, MayReach } from './asking.ts'

const SCHEMA = z.object({
  version: z.literal(1),
  peer_id: z.string().check(z.maxLength(64)),
  addresses: z.array(z.string().check(z.maxLength(512))).check(z.maxLength(MAX_RELAY_ADDRESSES)),
  stun: z.optional(z.array(z.string().check(z.maxLength(256), z.regex(/^stuns?:/))).check(z.maxLength(8))),
  reflector: z.nullish(z.string().check(z.maxLength(256))),
  places: z.optional(z.boolean()),
})

export interface RelayDescription {
  readonly device: DeviceId
  /** Multiaddrs, each ending in `/p2p/<device>`. */
  readonly addresses: readonly string[]
  readonly stun: readonly string[]
  /** `host:port` of its TCP reflector. */
  readonly reflector: string | null
  /** Whether it gives places at all: a client that serves its own page does not. */
  readonly givesPlaces: boolean
}

export interface DescriptionSource {
  readonly signal: AbortSignal
  readonly getText: GetText
  /** For a relay that somebody else named; the user's own may be anywhere. */
  readonly mayReach?: MayReach | undefined
  /** As of `GetText`, of a relay's description alone. */
  readonly onDate?: (date: string | null) => void
}

export interface DescriptionsSource extends Pick<DescriptionSource, 'signal' | 'getText'> {
  /** URLs of the user's own relays, which may be anywhere. */
  readonly own: readonly string[]
  /** Where relays that others name may be: loaded when the first of them is asked. */
  loadReach(): Promise<MayReach>
}

/** Not cached. @throws SkeinError RELAY_UNREACHABLE */
export async function fetchDescription(url: string, { signal, getText, mayReach, onDate }: DescriptionSource): Promise<RelayDescription> {
  try {
    const target = new URL('relay.json', url.endsWith('/') ? url : `${url}/`)
    if (!/^https?:$/.test(target.protocol)) throw new Error('not a web address')
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DESCRIPTION_TIMEOUT_MS)])
    let date: string | null = null
    const options = { signal: limited, maxBytes: MAX_DESCRIPTION_BYTES, mayReach, onDate: (said: string | null) => (date = said) }
    const described = parseDescription(await getText(target, options))
    onDate?.(date)
    return { ...described, addresses: described.addresses.filter((address) => mayReach === undefined || leadsWhere(address, mayReach)) }
  } catch (cause) {
    throw new SkeinError('RELAY_UNREACHABLE', `The relay ${url} does not answer as a relay does.`, { cause, data: { url } })
  }
}

/** What a foreign relay says of itself may lead to no other place than its URL. */
function leadsWhere(address: string, mayReach: MayReach): boolean {
  const [, kind, host = ''] = address.split('/')
  return (kind !== 'ip4' && kind !== 'ip6') || mayReach(host)
}

/** @throws Error when `text` is not a relay's description */
export function parseDescription(text: string): RelayDescription {
  const { peer_id, addresses, stun = [], reflector = null, places = true } = SCHEMA.parse(JSON.parse(text))
  const device = parseDeviceId(peer_id)
  const dialable = addresses.filter((each) => each.endsWith(`/p2p/${device}`) && !each.includes('/p2p-circuit') && isMultiaddr(each))
  if (dialable.length === 0) throw new Error('no address')
  return { device, addresses: dialable, stun, reflector, givesPlaces: places }
}

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}

/** Descriptions of relays that others name, remembered for a short while; concurrent questions are asked once. */
export class RelayDescriptions {
  private readonly known = new Map<string, { readonly at: number; readonly answer: Promise<RelayDescription> }>()
  private readonly clock: Clock
  private readonly source: DescriptionsSource

  constructor(clock: Clock, source: DescriptionsSource) {
    this.clock = clock
    this.source = source
  }

  /** @throws SkeinError RELAY_UNREACHABLE */
  get(url: string): Promise<RelayDescription> {
    const known = this.known.get(url)
    if (known !== undefined && this.clock.monotonic() - known.at < DESCRIPTION_AGE_MS) return known.answer
    const answer = this.fetch(url)
    this.remember(url, answer)
    // A failure is not remembered: the relay may be back at the next question.
    answer.catch(() => this.known.get(url)?.answer === answer && this.forget(url))
    return answer
  }

  private remember(url: string, answer: Promise<RelayDescription>): void {
    this.known.delete(url)
    const oldest = this.known.keys().next().value
    if (this.known.size >= MAX_DESCRIPTIONS && oldest !== undefined) this.known.delete(oldest)
    this.known.set(url, { at: this.clock.monotonic(), answer })
  }

  private async fetch(url: string): Promise<RelayDescription> {
    const { own, loadReach, ...source } = this.source
    return fetchDescription(url, { ...source, mayReach: own.includes(url) ? undefined : await loadReach() })
  }

  /** Somebody has just asked the relay. */
  note(url: string, description: RelayDescription): void {
    this.remember(url, Promise.resolve(description))
  }

  /** The next question is asked anew. */
  forget(url: string): void {
    this.known.delete(url)
  }
}
