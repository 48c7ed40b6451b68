import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Issued } from './acme.ts'
import { type Certificate, CertificateKeeper, ORDER_WITHIN_MS } from './certificate-keeper.ts'
import { selfSigned } from './test-certificate.ts'

const DAY_MS = 86_400_000
const START = Date.UTC(2026, 0, 1)
const keepers: CertificateKeeper[] = []

afterEach(() => {
  for (const each of keepers.splice(0)) each.stop()
  vi.useRealTimers()
})

function keeperWith(order: () => Promise<Issued>, entries = new Map<string, Uint8Array>(), host = 'relay.example') {
  const state = { now: START, shown: [] as Certificate[], orders: [] as (string | undefined)[], log: [] as string[] }
  const say = (event: string): void => void state.log.push(event)
  const logger = { debug: say, info: say, warn: say, error: say, child: () => logger }
  const keeper = new CertificateKeeper({
    entries: {
      get: (key) => entries.get(key),
      put: (key, value) => void entries.set(key, value),
      delete: (key) => void entries.delete(key),
    },
    logger,
    host,
    directory: 'https://authority.example/dir',
    order: (accountKey) => (state.orders.push(accountKey), order()),
    onCertificate: (each) => state.shown.push(each),
    challenges: { prove: () => undefined },
    now: () => state.now,
  })
  keepers.push(keeper)
  return { keeper, state, entries }
}

const issuing =
  (from = START) =>
  async (): Promise<Issued> => ({ certificate: await selfSigned('relay.example', from), accountKey: 'account' })

describe('the certificate of a relay', () => {
  it('[RL23] is ordered once, and shown again after a restart', async () => {
    const { keeper, state, entries } = keeperWith(issuing())
    await keeper.look()
    expect([state.orders, state.shown.length, keeper.hasCertificate]).toEqual([[undefined], 1, true])
    const again = keeperWith(issuing(), entries)
    again.keeper.start()
    await again.keeper.look()
    expect([again.state.orders, again.state.shown]).toEqual([[], state.shown])
  })

  it('[RL23] that has ended is none, and when it ends can be seen', async () => {
    const { keeper, state } = keeperWith(issuing())
    expect([keeper.hasCertificate, keeper.endsAt]).toEqual([false, 0])
    await keeper.look()
    state.now = START + 90 * DAY_MS - 1
    expect([keeper.hasCertificate, keeper.endsAt]).toEqual([true, START + 90 * DAY_MS])
    state.now += 1
    expect(keeper.hasCertificate).toBe(false)
  })

  it('[RL23] is asked for again when the authority never finishes an order', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { keeper, state } = keeperWith(() => new Promise(() => undefined))
    const looking = keeper.look()
    await vi.advanceTimersByTimeAsync(ORDER_WITHIN_MS)
    await looking
    expect(state.log).toEqual(['certificate-not-issued'])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(state.orders).toHaveLength(2)
  })

  it('[RL23] is renewed with the same account when a third of its life is left, and not before', async () => {
    const { keeper, state } = keeperWith(() => issuing(state.now)())
    await keeper.look()
    state.now = START + 59 * DAY_MS
    await keeper.look()
    expect(state.orders).toHaveLength(1)
    state.now = START + 61 * DAY_MS
    await keeper.look()
    expect(state.orders).toEqual([undefined, 'account'])
    expect(state.shown).toHaveLength(2)
  })

  it('[RL23] of another name is not shown, but ordered anew', async () => {
    const { keeper, entries } = keeperWith(issuing())
    await keeper.look()
    const other = keeperWith(issuing(), entries, 'other.example')
    other.keeper.start()
    expect(other.keeper.hasCertificate).toBe(false)
    await vi.waitFor(() => expect(other.state.orders).toEqual(['account']))
  })

  it('[RL23] that cannot be had is asked for again, ever more seldom, and the old one stays', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let isDown = false
    const { keeper, state } = keeperWith(async () => {
      if (isDown) throw new Error('the authority is away')
      return issuing()()
    })
    await keeper.look()
    isDown = true
    state.now = START + 80 * DAY_MS
    await keeper.look()
    for (const wait of [60_000, 120_000, 240_000]) {
      const before = state.orders.length
      await vi.advanceTimersByTimeAsync(wait - 1)
      expect(state.orders).toHaveLength(before)
      await vi.advanceTimersByTimeAsync(1)
      expect(state.orders).toHaveLength(before + 1)
    }
    expect([state.shown.length, keeper.hasCertificate, state.log.at(-1)]).toEqual([1, true, 'certificate-not-issued'])
  })
})
