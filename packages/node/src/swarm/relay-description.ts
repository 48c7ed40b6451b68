/** What a relay says about itself at `<url>/relay.json`. */
import { multiaddr } from '@multiformats/multiaddr'
import { type Clock, type DeviceId, parseDeviceId, SkeinError } from '@skein/core'
import { z } from 'zod'
import { DESCRIPTION_AGE_MS, DESCRIPTION_TIMEOUT_MS, MAX_DESCRIPTION_BYTES, MAX_DESCRIPTIONS } from './constants.ts'

const SCHEMA = z.object({
  version: z.literal(1),
  peer_id: z.string().max(64),
  addresses: z.array(z.string().max(512)).max(32),
  stun: z
    .array(
      z
        .string()
        .max(256)
        .regex(/^stuns?:/),
    )
    .max(8)
    .optional(),
})

export interface RelayDescription {
  readonly device: DeviceId
  /** Multiaddrs, each ending in `/p2p/<device>`. */
  readonly addresses: readonly string[]
  readonly stun: readonly string[]
}

/** Not cached. @throws SkeinError RELAY_UNREACHABLE */
export async function fetchDescription(url: string, signal: AbortSignal): Promise<RelayDescription> {
  try {
    const target = new URL('relay.json', url.endsWith('/') ? url : `${url}/`)
    if (!/^https?:$/.test(target.protocol)) throw new Error('not a web address')
    const limited = AbortSignal.any([signal, AbortSignal.timeout(DESCRIPTION_TIMEOUT_MS)])
    // No redirects: a URL in a stranger's card must not lead to services inside the user's network by another's hand.
    const response = await fetch(target, { signal: limited, redirect: 'error', headers: { accept: 'application/json' } })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return parseDescription(await readBounded(response))
  } catch (cause) {
    throw new SkeinError('RELAY_UNREACHABLE', `The relay ${url} does not answer as a relay does.`, { cause, data: { url } })
  }
}

/** @throws Error when `text` is not a relay's description */
export function parseDescription(text: string): RelayDescription {
  const { peer_id, addresses, stun = [] } = SCHEMA.parse(JSON.parse(text))
  const device = parseDeviceId(peer_id)
  const dialable = addresses.filter((each) => each.endsWith(`/p2p/${device}`) && !each.includes('/p2p-circuit') && isMultiaddr(each))
  if (dialable.length === 0) throw new Error('no address')
  return { device, addresses: dialable, stun }
}

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}

async function readBounded(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let total = 0
  for await (const part of response.body ?? []) {
    total += part.byteLength
    if (total > MAX_DESCRIPTION_BYTES) throw new Error('too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Descriptions of other people's relays, remembered for a short while; concurrent questions are asked once. */
export class RelayDescriptions {
  private readonly known = new Map<string, { readonly at: number; readonly answer: Promise<RelayDescription> }>()
  private readonly clock: Clock
  private readonly signal: AbortSignal

  constructor(clock: Clock, signal: AbortSignal) {
    this.clock = clock
    this.signal = signal
  }

  /** @throws SkeinError RELAY_UNREACHABLE */
  get(url: string): Promise<RelayDescription> {
    const known = this.known.get(url)
    if (known !== undefined && this.clock.monotonic() - known.at < DESCRIPTION_AGE_MS) return known.answer
    const answer = fetchDescription(url, this.signal)
    this.known.delete(url)
    const oldest = this.known.keys().next().value
    if (this.known.size >= MAX_DESCRIPTIONS && oldest !== undefined) this.known.delete(oldest)
    this.known.set(url, { at: this.clock.monotonic(), answer })
    // A failure is not remembered: the relay may be back at the next question.
    answer.catch(() => this.forget(url))
    return answer
  }

  /** The next question is asked anew. */
  forget(url: string): void {
    this.known.delete(url)
  }
}
