/** What every stack of ours shares — client, browser, relay — so that they understand each other. */
import type { GossipsubOpts } from '@libp2p/gossipsub'
import type { YamuxMuxerInit } from '@libp2p/yamux'
import type { KadDHTInit } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import type { Libp2pInit } from 'libp2p'
import { guardedYamux } from './guarded-yamux.ts'

/** Own DHT: a public one would tell strangers who looks for whom. */
export const DHT_PROTOCOL = '/skein/kad/1.0.0'
/** Namespace of account records: `/skein/<32 bytes of account digest>`. */
export const RECORD_NAMESPACE = 'skein'

export interface RecordJudge {
  /** Whether `record` may stand under `key` (32 bytes). */
  verify(key: Uint8Array, record: Uint8Array): boolean
  /** Whether `a` is to be preferred to `b`. */
  isNewer(a: Uint8Array, b: Uint8Array): boolean
}

/**
 * What one stream may have under way, bytes. The library lets it grow to 16 MiB, but resets a paused stream that holds
 * more than 4 MiB; 1 MiB is 10 MiB/s at a round trip of 100 ms.
 */
const MAX_WINDOW_BYTES = 1_048_576

/** Of an account. */
const DIGEST_BYTES = 32
const PREFIX = new TextEncoder().encode(`/${RECORD_NAMESPACE}/`)

/** Encrypter and muxer of every stack; another one on either side and nobody could connect. */
export function securedAndMuxed(
  init: Pick<YamuxMuxerInit, 'enableKeepAlive'> = {},
): Required<Pick<Libp2pInit, 'connectionEncrypters' | 'streamMuxers'>> {
  const muxer = guardedYamux({ ...init, streamOptions: { maxStreamWindowSize: MAX_WINDOW_BYTES } })
  return { connectionEncrypters: [noise()], streamMuxers: [muxer] }
}

/** @param key account digest, 32 bytes; returns the key in the DHT */
export function recordKey(key: Uint8Array): Uint8Array {
  return Uint8Array.of(...PREFIX, ...key)
}

/** Options of the DHT; addresses are not filtered, because relays on a LAN serve members with private ones. */
export function dhtOptions(judge: RecordJudge, { clientMode }: { readonly clientMode: boolean }): KadDHTInit {
  return {
    protocol: DHT_PROTOCOL,
    clientMode,
    // Its library's own mapper would be the only part of it that a page loads at once (late-dht.ts).
    peerInfoMapper: (peer) => peer,
    validators: {
      // The library's own would have anybody's keys kept.
      pk: async () => {
        throw new Error('nothing but records of accounts is kept')
      },
      [RECORD_NAMESPACE]: async (key, value) => {
        if (key.length !== PREFIX.length + DIGEST_BYTES || !judge.verify(key.subarray(PREFIX.length), value))
          throw new Error('a record that its account did not sign')
      },
    },
    selectors: {
      [RECORD_NAMESPACE]: (_key, records) =>
        records.reduce((best, record, at) => (judge.isNewer(record, records[best] ?? record) ? at : best), 0),
    },
  }
}

/**
 * Options of gossip. Messages are signed inside, by devices, so that a forwarder learns no author; the library's
 * penalty for many peers behind one address would cut off households, carrier NATs and every node on one machine
 * (notes/performance.md, defect 4).
 */
export const GOSSIP_OPTIONS: Partial<GossipsubOpts> = {
  globalSignaturePolicy: 'StrictNoSign',
  allowPublishToZeroTopicPeers: true,
  emitSelf: false,
  runOnLimitedConnection: true,
  scoreParams: { IPColocationFactorWeight: 0 },
}
