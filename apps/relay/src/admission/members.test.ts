import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { Members } from './members.ts'

const MONTH_MS = 30 * 86_400_000

function open(bounds = { members: 100, brought: 3 }) {
  const database = new Database(':memory:')
  const clock = { now: 1_000 }
  const again = () => new Members(database, () => clock.now, bounds)
  const members = again()
  const allowed = new Set<string>()
  const isUnbounded = (peer: string): boolean => allowed.has(peer)
  const byToken = (peer: string, token = 'one') => members.add({ peer, by: { token }, isUnbounded })
  const invited = (peer: string, inviter: string) => members.add({ peer, by: { inviter }, isUnbounded })
  return { members, clock, again, allowed, byToken, invited }
}

describe('members', () => {
  it('[RL8] nobody who is here makes room for somebody new; who has been away for half a year does', () => {
    const { members, clock, byToken, again } = open({ members: 2, brought: 9 })
    expect([byToken('alice'), byToken('bob'), byToken('carol')]).toEqual([true, true, false])
    clock.now += 5 * MONTH_MS
    members.noteSeen('alice')
    members.sweep(clock.now)
    clock.now += 2 * MONTH_MS
    expect(byToken('carol')).toBe(false)
    members.sweep(clock.now)
    expect([byToken('carol'), byToken('dave'), again().count]).toEqual([true, false, 2])
    expect(members.all().map(({ peer }) => peer)).toEqual(['carol', 'alice'])
  })

  it('[RL8] one member brings so many, also through those whom it has brought; who leaves makes room, others do as they like', () => {
    const { members, allowed, byToken, invited } = open()
    expect([byToken('mallory'), byToken('alice')]).toEqual([true, true])
    expect([invited('m1', 'mallory'), invited('m2', 'm1'), invited('m3', 'm2'), invited('m4', 'm3')]).toEqual([true, true, true, false])
    expect([invited('m4', 'm1'), invited('bob', 'alice')]).toEqual([false, true])
    members.remove('m3')
    expect([invited('m5', 'm2'), invited('m6', 'm2')]).toEqual([true, false])
    allowed.add('mallory')
    expect(invited('m6', 'mallory')).toBe(true)
  })

  it('[RL8] who is removed takes its own away from those above, and brings them back with itself', () => {
    const { members, byToken, invited } = open()
    byToken('alice')
    expect([invited('bob', 'alice'), invited('b1', 'bob'), invited('b2', 'bob')]).toEqual([true, true, true])
    expect([members.remove('bob'), members.remove('bob')]).toEqual([true, false])
    expect([invited('carol', 'alice'), invited('bob', 'alice')]).toEqual([true, true])
    expect(invited('dave', 'alice')).toBe(false)
  })

  it('[RL8] who has invited whom is known for 30 days, and so long it counts', () => {
    const { members, clock, byToken, invited } = open()
    byToken('alice')
    expect([invited('a1', 'alice'), invited('a2', 'a1'), invited('a3', 'a1'), invited('a4', 'alice')]).toEqual([true, true, true, false])
    expect(members.all().find(({ peer }) => peer === 'a2')).toMatchObject({ admitted_by: 'invite', inviter: 'a1' })
    clock.now += MONTH_MS
    members.sweep(clock.now)
    expect(members.all().map(({ inviter }) => inviter)).toEqual([null, null, null, null])
    expect([invited('a4', 'alice'), invited('a5', 'alice'), invited('a6', 'alice'), invited('a7', 'alice')]).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  it('[RL7] with a token go all whom it has admitted, and whom they have brought', () => {
    const { members, byToken, invited } = open()
    expect([byToken('mallory', 'leaked'), invited('m1', 'mallory'), invited('m2', 'm1'), byToken('alice')]).not.toContain(false)
    expect(members.removeBroughtBy('leaked').sort()).toEqual(['m1', 'm2', 'mallory'])
    expect([members.all().map(({ peer }) => peer), members.count]).toEqual([['alice'], 1])
  })
})
