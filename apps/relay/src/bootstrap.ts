/** Keeps this relay connected to other relays, so that their members find each other through the DHT. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@skein/core'
import { MAX_RELAY_ADDRESSES, type RelayStack } from '@skein/node/swarm'
import * as z from 'zod'

const FIRST_PAUSE_MS = 500
/** Longest pause between two tries, ms: a relay that was away for hours is back within a minute. */
const LONGEST_PAUSE_MS = 60_000
/** Ms between looks at a connection that stands. */
const WATCH_MS = 15_000
const FETCH_TIMEOUT_MS = 5_000
/** Largest description that is read, bytes. */
const MAX_DESCRIPTION_BYTES = 65_536

const descriptionSchema = z.looseObject({
  version: z.literal(1),
  peer_id: z.string().max(128),
  addresses: z.array(z.string().max(512)).max(MAX_RELAY_ADDRESSES),
})

export interface BootstrapOptions {
  readonly urls: readonly string[]
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** Returns at once; the work ends when `signal` aborts. */
export function keepMeeting(stack: RelayStack, options: BootstrapOptions): void {
  for (const url of options.urls) void keepMeetingOne(stack, url, options)
}

async function keepMeetingOne(stack: RelayStack, url: string, { logger, signal }: BootstrapOptions): Promise<void> {
  let pause = FIRST_PAUSE_MS
  let known: string | undefined
  while (!signal.aborted) {
    if (known === undefined || !stack.isConnected(known)) {
      known = await meetOne(stack, url, signal)
      // Which relays these are is the operator's own setting, and tells of no member.
      logger.info(known === undefined ? 'relay-away' : 'relay-met', { relay: url })
    }
    pause = known === undefined ? Math.min(pause * 2, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS
    // Jitter, so that relays that lost each other do not try in step.
    const wait = known === undefined ? pause * (0.5 + Math.random() / 2) : WATCH_MS
    await sleep(wait, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** The other relay's peer id, or `undefined` if it is away. */
async function meetOne(stack: RelayStack, url: string, signal: AbortSignal): Promise<string | undefined> {
  const other = await readDescription(url, signal)
  if (other === undefined || other.peer_id === stack.peerId) return other?.peer_id
  const addresses = other.addresses.filter((each) => each.endsWith(`/p2p/${other.peer_id}`))
  return (await stack.meet(addresses)) ? other.peer_id : undefined
}

async function readDescription(url: string, signal: AbortSignal): Promise<z.infer<typeof descriptionSchema> | undefined> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)])
    const response = await fetch(new URL('relay.json', url.endsWith('/') ? url : `${url}/`), { signal: limit })
    return descriptionSchema.parse(JSON.parse(await readLimited(response)))
  } catch {
    return undefined
  }
}

/** @throws Error when the body is too large */
async function readLimited(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > MAX_DESCRIPTION_BYTES) throw new Error('The description is too large.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
