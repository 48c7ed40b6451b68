/** The client's side of the directory: card drops on relays, account records in the DHT. */
import { type Connection, type Libp2p } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { type CardReplyFrame, type CardRequestFrame, decodeCardReply, encodeCardRequest, type Logger, SkeinError } from '@skein/core'
import { StreamChannel } from './framing.ts'
import type { RelayInfo } from './relay-directory.ts'
import { recordKey } from './stack-parts.ts'
import type { Stack } from './stack.ts'

const CARD_PROTOCOL = '/skein/card/1'
const CARD_WITHIN_MS = 10_000
const RECORD_WITHIN_MS = 15_000

/** Connects to a relay that need not be one of ours. @throws SkeinError RELAY_UNREACHABLE */
export async function connectRelay(stack: Libp2p, info: RelayInfo | null): Promise<Connection> {
  if (info === null) throw new SkeinError('RELAY_UNREACHABLE', 'The relay of this invite cannot be reached; check the connection and try again.')
  try {
    return await stack.dial(info.addresses.map((each) => multiaddr(each)), { signal: AbortSignal.timeout(CARD_WITHIN_MS) })
  } catch (cause) {
    throw new SkeinError('RELAY_UNREACHABLE', 'The relay of this invite answers, but cannot be connected to.', { cause })
  }
}

/** One request, one reply. @throws SkeinError RELAY_UNREACHABLE */
export async function askRelay(connection: Connection, info: RelayInfo, request: CardRequestFrame): Promise<CardReplyFrame> {
  const signal = AbortSignal.timeout(CARD_WITHIN_MS)
  try {
    const stream = await connection.newStream(CARD_PROTOCOL, { signal })
    const channel = new StreamChannel(stream, info.device, { onFrame: () => undefined, onOffence: () => undefined })
    signal.addEventListener('abort', () => channel.close(), { once: true })
    await channel.send(encodeCardRequest(request))
    for await (const bytes of channel.frames()) return decodeCardReply(bytes)
  } catch (cause) {
    throw new SkeinError('RELAY_UNREACHABLE', 'The relay did not answer.', { cause })
  }
  throw new SkeinError('RELAY_UNREACHABLE', 'The relay ended the conversation without an answer.')
}

/** Best effort; true when at least one other node has taken it. */
export async function putRecord(stack: Stack, { key, record, logger }: { key: Uint8Array; record: Uint8Array; logger: Logger }): Promise<boolean> {
  let taken = false
  try {
    for await (const event of stack.services.dht.put(recordKey(key), record, { signal: AbortSignal.timeout(RECORD_WITHIN_MS) })) {
      taken ||= event.name === 'PEER_RESPONSE'
    }
  } catch (error) {
    logger.debug('record-put-failed', { reason: error instanceof Error ? error.name : 'unknown' })
  }
  return taken
}

export async function getRecord(stack: Stack, key: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | null> {
  const limit = AbortSignal.timeout(RECORD_WITHIN_MS)
  try {
    for await (const event of stack.services.dht.get(recordKey(key), { signal: signal === undefined ? limit : AbortSignal.any([limit, signal]) })) {
      if (event.name === 'VALUE') return event.value
    }
  } catch {
    return null // nobody has it, or nobody could be asked
  }
  return null
}
