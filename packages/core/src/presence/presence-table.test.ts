import { describe, expect, it } from 'vitest'
import { accountIdFromDigest, deviceIdFromKey } from '../ids.ts'
import { type Heard, hear, leaseOf, MAX_LEASE_MS, MAX_PRESENT, type PresenceTable, REAP_AFTER_MS, reap, touch } from './presence-table.ts'

const device = (number: number) => deviceIdFromKey(new Uint8Array(32).map((_, at) => (at < 4 ? (number >> (8 * at)) & 0xff : 1)))
const heard = (number: number, change: Partial<Heard> = {}): Heard => ({
  device: device(number),
  account: accountIdFromDigest(new Uint8Array(32)),
  name: '',
  contact: false,
  signedAt: 1,
  lease: REAP_AFTER_MS,
  network: 'n',
  signed: { statement: new Uint8Array(), signature: new Uint8Array(64) },
  age: 0,
  ...change,
})
const empty: PresenceTable = new Map()

describe('presence table', () => {
  it('[PR4] reaps at exactly 45 s, not at 44.999', () => {
    const { table } = hear(empty, heard(1), 1_000)
    expect(reap(table, 45_999).gone).toHaveLength(0)
    expect(reap(table, 46_000).gone.map((each) => each.device)).toEqual([device(1)])
  })

  it('[PR5] a repeated presence proves life when it was heard first, not now', () => {
    const { table } = hear(empty, heard(1, { age: 30_000 }), 100_000)
    expect(table.get(device(1))?.aliveAt).toBe(70_000)
    expect(hear(empty, heard(1, { age: 45_000 }), 100_000).outcome).toBe('stale')
  })

  it('[PR6] an equal or older presence is a replay', () => {
    const { table } = hear(empty, heard(1, { signedAt: 5 }), 0)
    expect(hear(table, heard(1, { signedAt: 5 }), 10).outcome).toBe('replayed')
    expect(hear(table, heard(1, { signedAt: 4 }), 10).outcome).toBe('replayed')
    expect(hear(table, heard(1, { signedAt: 6 }), 10).outcome).toBe('refreshed')
  })

  it('[PR7] any traffic keeps a peer that is present, and makes nobody present', () => {
    const { table } = hear(empty, heard(1), 0)
    expect(reap(touch(table, device(1), 44_000), 80_000).gone).toHaveLength(0)
    expect(touch(table, device(2), 44_000).has(device(2))).toBe(false)
  })

  it('[PR11] a lease lengthens the silence, within bounds, until the next presence', () => {
    expect([0, 1_000, 60_000, 4_294_967_295].map(leaseOf)).toEqual([REAP_AFTER_MS, REAP_AFTER_MS, 60_000, MAX_LEASE_MS])
    const { table } = hear(empty, heard(1, { lease: 60_000 }), 0)
    expect(reap(table, 59_999).gone).toHaveLength(0)
    expect(reap(table, 60_000).gone).toHaveLength(1)
    const back = hear(table, heard(1, { signedAt: 2 }), 10_000)
    expect(reap(back.table, 10_000 + REAP_AFTER_MS).gone).toHaveLength(1)
  })

  it('[PR9] made-up devices fill the table, not the memory', () => {
    const full = new Map(
      Array.from({ length: MAX_PRESENT }, (_, number) => [device(number), { ...heard(number), aliveAt: 0, signed: new Map() }]),
    )
    expect(hear(full, heard(MAX_PRESENT), 0).outcome).toBe('full')
    expect(hear(full, heard(3, { signedAt: 2 }), 0).outcome).toBe('refreshed')
    const crowded = hear(full, heard(MAX_PRESENT, { contact: true }), 0)
    expect([crowded.outcome, crowded.table.size, crowded.table.has(device(MAX_PRESENT))]).toEqual(['arrived', MAX_PRESENT, true])
  })
})
