/** What core expects of every Directory, wherever cards and records lie. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Directory } from '../../ports/directory.ts'

/** Two members of one network. */
export interface DirectoryPair {
  readonly a: Directory
  readonly b: Directory
  /** A relay that `a` has joined. */
  readonly relayUrl: string
  /** Two records of one account, both of which this network takes. */
  readonly record: { readonly key: Uint8Array; readonly older: Uint8Array; readonly newer: Uint8Array }
  end(): Promise<void>
}

/** Milliseconds; what has not arrived by then has failed. */
const DEADLINE = { timeout: 20_000, interval: 50 }
const HOUR = 3_600_000
const key = new Uint8Array(32).fill(3)
const bytes = (...values: number[]) => Uint8Array.of(...values)

export function directoryContract(name: string, makePair: () => Promise<DirectoryPair>): void {
  describe(`Directory contract: ${name}`, { timeout: 60_000 }, () => {
    let pair: DirectoryPair
    beforeEach(async () => {
      pair = await makePair()
    })
    afterEach(() => pair.end())
    cardRules(() => pair)
    recordRules(() => pair)
  })
}

function cardRules(pair: () => DirectoryPair): void {
  const expiry = () => Date.now() + HOUR

  it('gives a card that one has left to another who knows the key, again and again', async () => {
    const { a, b, relayUrl } = pair()
    expect(await a.leaveCard(key, bytes(1, 2, 3), expiry())).toBeGreaterThan(0)
    for (let time = 0; time < 2; time += 1) expect(await b.fetchCard(key, relayUrl)).toEqual(bytes(1, 2, 3))
  })

  it('says null for a card that nobody has left', async () => {
    const { a, b, relayUrl } = pair()
    await a.leaveCard(key, bytes(1), expiry())
    expect(await b.fetchCard(new Uint8Array(32).fill(4), relayUrl)).toBeNull()
  })

  it('replaces a card by the next of the same owner', async () => {
    const { a, b, relayUrl } = pair()
    await a.leaveCard(key, bytes(1), expiry())
    expect(await a.leaveCard(key, bytes(2, 2), expiry())).toBeGreaterThan(0)
    expect(await b.fetchCard(key, relayUrl)).toEqual(bytes(2, 2))
  })

  it('keeps a card as it was left, whatever becomes of the bytes afterwards', async () => {
    const { a, b, relayUrl } = pair()
    const [name, value] = [key.slice(), bytes(7, 8, 9)]
    await a.leaveCard(name, value, expiry())
    name.fill(0)
    value.fill(0)
    expect(await b.fetchCard(key, relayUrl)).toEqual(bytes(7, 8, 9))
  })
}

function recordRules(pair: () => DirectoryPair): void {
  /** Anew until it is taken: the network may still be forming. */
  const publish = async ({ a, record }: DirectoryPair, value: Uint8Array): Promise<void> =>
    vi.waitFor(async () => expect(await a.publishRecord(record.key, value)).toBe(true), DEADLINE)
  const find = (): Promise<Uint8Array | null> => pair().b.findRecord(pair().record.key)

  it('gives the record that one has published to another', async () => {
    await publish(pair(), pair().record.older)
    await vi.waitFor(async () => expect(await find()).toEqual(pair().record.older), DEADLINE)
  })

  it('gives the newest record of an account', async () => {
    await publish(pair(), pair().record.older)
    await publish(pair(), pair().record.newer)
    await vi.waitFor(async () => expect(await find()).toEqual(pair().record.newer), DEADLINE)
  })

  it('says null for an account that has published nothing, also under the key of a card', async () => {
    const { a, b } = pair()
    await a.leaveCard(key, bytes(1), Date.now() + HOUR)
    expect(await b.findRecord(key)).toBeNull()
  })

  it('gives up a search when it is told to, without an exception', async () => {
    expect(await pair().b.findRecord(key, { signal: AbortSignal.abort() })).toBeNull()
  })
}
