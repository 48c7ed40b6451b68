/**
 * Agreement on a protocol without a wait. multistream-select lets whoever dials send its first data together with its
 * proposal (libp2p specifications, connections: "it is possible to send multiple messages at once"); the library for
 * JavaScript waits for the answer first, a round trip for each connection and each stream. Here it is given the answer in
 * advance, which is compared with the real one when that comes: if they differ, the stream ends. The bytes on the wire
 * are the same (PT13).
 */
import { type MultiaddrConnection, UnsupportedProtocolError, type Upgrader, type UpgraderOptions } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import type { Uint8ArrayList } from 'uint8arraylist'

const MULTISTREAM = '/multistream/1.0.0'
const NOISE = '/noise'

/**
 * Protocols that whoever speaks ours has as long as it runs. Of others one must be able to learn that the other side does not
 * have them; and the library's ping closes its half at once, which its own answer does not survive.
 */
const PRESUMED: ReadonlySet<string> = new Set([
  '/libp2p/circuit/relay/0.2.0/hop',
  '/libp2p/circuit/relay/0.2.0/stop',
  '/libp2p/dcutr',
  '/ipfs/id/1.0.0',
  '/skein/deliver/1',
  '/skein/presence/1',
])

/** What streams and connections of the library have in common, beyond its interface. */
interface Receiving {
  onData(data: Uint8Array | Uint8ArrayList): void
  push(data: Uint8Array): void
  abort(error: Error): void
}

/** Whether streams of this protocol are opened without a wait. */
export function isPresumed(protocol: string | undefined): protocol is string {
  return protocol !== undefined && PRESUMED.has(protocol)
}

/** Makes `stream`, just opened by this side and never read, look as if the other side had agreed. */
export function presume(stream: object, protocol: string): void {
  const receiving = stream as Receiving
  const expected = agreementOn(protocol)
  const receive = receiving.onData.bind(receiving)
  let seen = 0
  receiving.push(expected)
  receiving.onData = (data) => {
    const answer = data.subarray(0, Math.min(data.byteLength, expected.length - seen))
    if (!answer.every((byte, at) => byte === expected[seen + at]))
      return receiving.abort(new UnsupportedProtocolError(`the other side does not agree on ${protocol}`))
    seen += answer.length
    if (seen === expected.length) receiving.onData = receive
    if (data.byteLength > answer.length) receive(data.subarray(answer.length))
  }
}

/** Every connection that this upgrader makes outwards is encrypted without a wait for agreement on how. */
export function presumeEncryption(upgrader: Upgrader): void {
  const upgrade = upgrader.upgradeOutbound.bind(upgrader)
  upgrader.upgradeOutbound = async (connection: MultiaddrConnection, options: UpgraderOptions) => {
    const isOurs = !('skipEncryption' in options && options.skipEncryption === true) && options.initiator !== false
    if (isOurs) presume(connection, NOISE)
    return upgrade(connection, options)
  }
}

function agreementOn(protocol: string): Uint8Array {
  const lines = [MULTISTREAM, protocol].map((line) => encode.single(new TextEncoder().encode(`${line}\n`)).subarray())
  return Uint8Array.from(lines.flatMap((line) => [...line]))
}
