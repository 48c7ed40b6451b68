import { createHash, randomBytes } from 'node:crypto'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { MAX_ADMITTED_PER_INVITE, MAX_INVITES_PER_MEMBER, Membership, requirePeerId } from './membership.ts'

const [ALICE, BOB, CAROL] = ['12D3KooWAlice', '12D3KooWBob', '12D3KooWCarol']
const DAY_MS = 86_400_000

function open(): { members: Membership; clock: { now: number }; again: () => Membership; database: Database.Database } {
  const database = new Database(':memory:')
  const clock = { now: 1_000 }
  const again = () => new Membership(database, () => clock.now)
  return { members: again(), clock, again, database }
}

const proofAndHash = (): { proof: Uint8Array; hash: Uint8Array } => {
  const proof = new Uint8Array(randomBytes(32))
  return { proof, hash: new Uint8Array(createHash('sha256').update(proof).digest()) }
}

describe('membership', () => {
  it('[RL7] admits who shows a token, also after a restart, and nobody else', () => {
    const { members, again } = open()
    const { token } = members.createToken({ label: 'friends' })
    expect(members.answer(ALICE, { kind: 'token', token: `${token}x` }, true)).toBe('refused')
    expect(members.answer(ALICE, { kind: 'token', token }, true)).toBe('admitted')
    expect([again().isMember(ALICE), again().isMember(BOB)]).toEqual([true, false])
    expect(JSON.stringify(members.tokens())).not.toContain(token)
  })

  it('[RL7] a token ends with its time, its uses and its withdrawal; whom it admitted stays', () => {
    const { members, clock } = open()
    const timed = members.createToken({ label: '', expiresAt: 2_000 })
    const single = members.createToken({ label: '', uses: 1 })
    expect(members.answer(ALICE, { kind: 'token', token: single.token }, true)).toBe('admitted')
    expect(members.answer(ALICE, { kind: 'token', token: single.token }, true)).toBe('admitted')
    expect(members.answer(BOB, { kind: 'token', token: single.token }, true)).toBe('refused')
    clock.now = 2_000
    expect(members.answer(BOB, { kind: 'token', token: timed.token }, true)).toBe('refused')
    const endless = members.createToken({ label: '' })
    expect(members.revokeToken(endless.id)).toBe(true)
    expect(members.answer(BOB, { kind: 'token', token: endless.token }, true)).toBe('refused')
    expect(members.isMember(ALICE)).toBe(true)
  })

  it('[RL7] a token is used and its member made in one commit, or neither', () => {
    const { members, again, database } = open()
    const { token } = members.createToken({ label: '', uses: 1 })
    database.exec("CREATE TRIGGER full BEFORE UPDATE ON relay_tokens BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    expect(() => members.answer(ALICE, { kind: 'token', token }, true)).toThrow('disk is full')
    expect([members.isMember(ALICE), members.memberCount(), again().memberCount()]).toEqual([false, 0, 0])
    database.exec('DROP TRIGGER full')
    expect(['12D3KooWDave', ALICE].map((peer) => members.answer(peer, { kind: 'token', token }, true))).toEqual(['admitted', 'refused'])
    database.exec("CREATE TRIGGER full BEFORE INSERT ON members BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    const other = members.createToken({ label: '', uses: 1 })
    expect(() => members.answer(BOB, { kind: 'token', token: other.token }, true)).toThrow('disk is full')
    expect(members.tokens().find(({ id }) => id === other.id)?.uses_left).toBe(1)
  })

  it("[RL8] admits whom a member has invited, for the invite's time and number", () => {
    const { members, clock } = open()
    const { proof, hash } = proofAndHash()
    const register = { kind: 'register', hash, expiresAt: 1_000 + DAY_MS } as const
    expect(members.answer(ALICE, register, true)).toBe('refused')
    members.decide(ALICE, 'allow', '')
    expect(members.answer(ALICE, register, true)).toBe('registered')
    expect(members.answer(CAROL, { kind: 'invite', proof: new Uint8Array(32) }, true)).toBe('refused')
    for (let n = 0; n < MAX_ADMITTED_PER_INVITE; n += 1)
      expect(members.answer(`${BOB}${n}`, { kind: 'invite', proof }, true)).toBe('admitted')
    expect(members.answer(CAROL, { kind: 'invite', proof }, true)).toBe('refused')
    clock.now += 2 * DAY_MS
    const late = proofAndHash()
    expect(members.answer(ALICE, { kind: 'register', hash: late.hash, expiresAt: clock.now }, true)).toBe('refused')
  })

  it('[RL24] a clock that is wrong for a while removes neither tokens nor invites', () => {
    const { members, clock } = open()
    members.decide(ALICE, 'allow', '')
    const { proof, hash } = proofAndHash()
    const { token } = members.createToken({ label: '', expiresAt: DAY_MS })
    members.answer(ALICE, { kind: 'register', hash, expiresAt: DAY_MS }, true)
    clock.now += 365 * DAY_MS
    members.sweep(1_000)
    expect(members.answer(BOB, { kind: 'token', token }, true)).toBe('refused')
    clock.now = 2_000
    expect(members.answer(BOB, { kind: 'token', token }, true)).toBe('admitted')
    expect(members.answer(CAROL, { kind: 'invite', proof }, true)).toBe('admitted')
    members.sweep(DAY_MS)
    expect(members.tokens()).toEqual([])
  })

  it('[RL8] an invite that has expired may be left anew before it is removed', () => {
    const { members, clock } = open()
    members.decide(ALICE, 'allow', '')
    const { proof, hash } = proofAndHash()
    members.answer(ALICE, { kind: 'register', hash, expiresAt: 2_000 }, true)
    clock.now = 2_000
    expect(members.answer(ALICE, { kind: 'register', hash, expiresAt: DAY_MS }, true)).toBe('registered')
    expect(members.answer(BOB, { kind: 'invite', proof }, true)).toBe('admitted')
  })

  it('[RL8] bounds the invites of one member, and none can be taken over', () => {
    const { members } = open()
    for (const peer of [ALICE, BOB]) members.decide(peer, 'allow', '')
    for (let n = 0; n < MAX_INVITES_PER_MEMBER; n += 1)
      expect(members.answer(ALICE, { kind: 'register', hash: proofAndHash().hash, expiresAt: DAY_MS }, true)).toBe('registered')
    expect(members.answer(ALICE, { kind: 'register', hash: proofAndHash().hash, expiresAt: DAY_MS }, true)).toBe('full')
  })

  it('[RL8] the invites of whom the operator has sent away admit nobody any more', () => {
    const { members } = open()
    const { proof, hash } = proofAndHash()
    members.answer(ALICE, { kind: 'token', token: members.createToken({ label: '' }).token }, true)
    expect(members.answer(ALICE, { kind: 'register', hash, expiresAt: DAY_MS }, true)).toBe('registered')
    members.decide(ALICE, 'deny', '')
    expect(members.answer(BOB, { kind: 'invite', proof }, true)).toBe('refused')
    members.decide(ALICE, 'allow', '')
    expect(members.answer(BOB, { kind: 'invite', proof }, true)).toBe('admitted')
    expect(members.members()).toMatchObject([{ peer: BOB, admitted_by: 'invite', inviter: ALICE }])
  })

  it('[RL7] admits nobody new while it may not, and keeps who is in', () => {
    const { members } = open()
    const { token } = members.createToken({ label: '' })
    members.answer(ALICE, { kind: 'token', token }, true)
    expect(members.answer(BOB, { kind: 'token', token }, false)).toBe('refused')
    expect(members.answer(ALICE, { kind: 'token', token }, false)).toBe('admitted')
  })

  it('[RL9] a verdict by hand goes before everything, and can be taken back', () => {
    const { members, again } = open()
    const { token } = members.createToken({ label: '' })
    members.answer(ALICE, { kind: 'token', token }, true)
    members.decide(ALICE, 'deny', 'spam')
    expect(members.answer(ALICE, { kind: 'token', token }, true)).toBe('refused')
    expect([again().verdictOn(ALICE), again().isMember(ALICE)]).toEqual(['deny', false])
    expect(members.undecide(ALICE)).toBe(true)
    expect(members.undecide(ALICE)).toBe(false)
    expect(members.answer(ALICE, { kind: 'token', token }, true)).toBe('admitted')
    expect([members.memberCount(), again().memberCount()]).toEqual([1, 1])
    expect(() => requirePeerId('../x')).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})
