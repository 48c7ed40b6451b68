/** What a relay says of itself at `<url>/relay.json`: where it can be dialled now, under which peer id. */
import { type Clock, type DeviceId, parseDeviceId } from '@skein/core'
import { z } from 'zod'

/** A relay answers within this, or is taken for away. Milliseconds. */
const ANSWER_WITHIN_MS = 5_000
const MAX_BYTES = 65_536
/** Other people's relays are asked again after this; our own are asked at each try. */
const REMEMBERED_FOR_MS = 30_000
/** Relays remembered; cards of strangers must not fill memory. */
const MAX_REMEMBERED = 256

const RelayFile = z.object({
  version: z.literal(1),
  peer_id: z.string().max(64),
  addresses: z.array(z.string().max(512)).max(64),
  stun: z.array(z.string().max(256)).max(8).optional(),
})

export interface RelayInfo {
  readonly device: DeviceId
  /** Multiaddrs, each with `/p2p/<peer id>`. */
  readonly addresses: readonly string[]
  /** `stun:host:port`. */
  readonly stun: readonly string[]
}

/** Fetches it afresh; null when the relay is away or answers nonsense. */
export async function fetchRelayInfo(url: string, signal?: AbortSignal): Promise<RelayInfo | null> {
  try {
    const limit = AbortSignal.timeout(ANSWER_WITHIN_MS)
    const response = await fetch(`${url.replace(/\/+$/, '')}/relay.json`, { redirect: 'error', signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) })
    if (!response.ok) return null
    const file = RelayFile.parse(JSON.parse(await limitedText(response)))
    const device = parseDeviceId(file.peer_id)
    return { device, addresses: file.addresses.filter((each) => each.endsWith(`/p2p/${device}`)), stun: file.stun ?? [] }
  } catch {
    return null
  }
}

async function limitedText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.byteLength
    if (bytes > MAX_BYTES) throw new RangeError('a relay file is too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Relay files of other people's relays, remembered for a short while. */
export class RelayDirectory {
  private readonly clock: Clock
  private readonly known = new Map<string, { readonly at: number; readonly info: Promise<RelayInfo | null> }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  resolve(url: string): Promise<RelayInfo | null> {
    const now = this.clock.monotonic()
    const known = this.known.get(url)
    if (known !== undefined && now - known.at < REMEMBERED_FOR_MS) return known.info
    const oldest = this.known.keys().next().value
    if (this.known.size >= MAX_REMEMBERED && oldest !== undefined) this.known.delete(oldest)
    const info = fetchRelayInfo(url)
    this.known.set(url, { at: now, info })
    // An absence is not remembered: the relay may be on its way back.
    void info.then((found) => found === null && this.known.delete(url))
    return info
  }

  forget(url: string): void {
    this.known.delete(url)
  }
}
