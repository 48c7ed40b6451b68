import type { Connection } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { giveNotice, placesFirst } from './give-notice.ts'

/** Somebody who takes no stream, and says nothing. */
const silent = (onAsked: () => void): Connection =>
  ({
    newStream: (_: string, { signal }: { signal: AbortSignal }) => {
      onAsked()
      return new Promise((_done, fail) => signal.addEventListener('abort', () => fail(new Error('too late')), { once: true }))
    },
  }) as unknown as Connection

it('[RL18] those who do not answer hold up nobody: all are told before the first of them is given up', async () => {
  const givenUp: number[] = []
  let asked = 0
  const connections = Array.from({ length: 300 }, () => silent(() => (asked += 1)))
  const first = giveNotice(connections.slice(0, 1), new Uint8Array(1), 1_000).then(() => givenUp.push(asked))
  await giveNotice(connections, new Uint8Array(1), 1_000)
  await first
  expect(givenUp).toEqual([301])
})

it('[RL18] those who have a place are told first', () => {
  const from = (name: string): Connection => ({ remotePeer: { toString: () => name } }) as unknown as Connection
  const places = { get: (peer: string) => (peer.startsWith('member') ? { address: '', expiresAt: 0 } : undefined) }
  const sorted = placesFirst(['a', 'member 1', 'b', 'member 2'].map(from), places)
  expect(sorted.map(({ remotePeer }) => String(remotePeer))).toEqual(['member 1', 'member 2', 'a', 'b'])
})
