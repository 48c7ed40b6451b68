import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Descriptors } from '../descriptors.ts'
import { parseSettings } from '../settings.ts'
import { Meter } from '../traffic/meter.ts'
import { Buckets } from './buckets.ts'
import { Membership } from './membership.ts'
import { groupsOf } from './networks.ts'
import { OperatorRules, type Refused } from './operator-rules.ts'

const NOBODY = { total: 0, inGroup: () => 0 }
const ALICE = { peer: '12D3KooWAlice', address: '198.51.100.1' }
const BOB = '12D3KooWBob'

/** As /proc shows them. */
const files = mkdtempSync(join(tmpdir(), 'skein-descriptors-'))
afterAll(() => rmSync(files, { recursive: true }))

function rulesWith(settings: unknown) {
  const refusals: Refused[] = []
  const asked: string[] = []
  const clock = { now: 0 }
  const membership = new Membership(new Database(':memory:'), () => 0)
  const meter = new Meter()
  const descriptors = new Descriptors({ open: files, limits: join(files, 'limits') })
  const ignore = () => undefined
  const events = {
    onJoined: ignore,
    onLeft: ignore,
    onRefusedConnection: (why: Refused) => void refusals.push(why),
    onRequest: ignore,
    onCircuit: ignore,
    onWaited: ignore,
    onRoundTrip: ignore,
    onRefused: (service: string, reason: string) => void asked.push(`${service} ${reason}`),
  }
  return {
    asked,
    rules: new OperatorRules(parseSettings(settings), { membership, meter, events, now: () => clock.now, descriptors }),
    refusals,
    clock,
    membership,
    meter,
  }
}

describe('the rules of an operator', () => {
  it.each([
    ['open', 'ok', 'ok', 'ok'],
    ['token', 'denied', 'ok', 'ok'],
    ['allowlist', 'denied', 'denied', 'ok'],
    ['closed', 'denied', 'ok', 'ok'],
  ])('[RL7] in mode %s a stranger gets «%s», a member «%s», who is allowed by hand «%s»', (mode, stranger, member, allowed) => {
    const { rules, membership } = rulesWith({ mode })
    expect(rules.mayReserve(ALICE, NOBODY)).toBe(stranger)
    const { token } = membership.createToken({ label: '' })
    membership.answer(ALICE.peer, { kind: 'token', token }, true)
    expect(rules.mayReserve(ALICE, NOBODY)).toBe(member)
    membership.decide(ALICE.peer, 'allow', '')
    expect(rules.mayReserve(ALICE, NOBODY)).toBe(allowed)
    membership.decide(ALICE.peer, 'deny', '')
    expect([rules.mayReserve(ALICE, NOBODY), rules.mayStay(ALICE.peer)]).toEqual(['denied', false])
  })

  it('[RL7] only in mode token a token admits', () => {
    for (const [mode, outcome] of [
      ['token', 'admitted'],
      ['closed', 'refused'],
      ['allowlist', 'refused'],
    ] as const) {
      const { rules, membership } = rulesWith({ mode })
      const { token } = membership.createToken({ label: '' })
      expect(rules.admit(ALICE.peer, { kind: 'token', token })).toBe(outcome)
    }
  })

  it('[RL7] guessing is slowed', () => {
    const { rules, membership } = rulesWith({ mode: 'token' })
    for (let n = 0; n < 20; n += 1) rules.admit(ALICE.peer, { kind: 'token', token: `guess ${n}` })
    const { token } = membership.createToken({ label: '' })
    expect(rules.admit(ALICE.peer, { kind: 'token', token })).toBe('refused')
    expect(rules.admit(BOB, { kind: 'token', token })).toBe('admitted')
  })

  it('[RL10] what strangers may open is set apart from what members may', () => {
    const none = rulesWith({ mode: 'token', strangers: { circuits: 'none' } })
    expect(none.rules.mayConnect(ALICE, BOB)).toEqual({ status: 'denied' })
    const limited = rulesWith({ mode: 'token', strangers: { bytes: 4_096, seconds: 30 } })
    expect(limited.rules.mayConnect(ALICE, BOB)).toEqual({ status: 'ok', limit: { bytes: 4_096, seconds: 30 } })
    limited.membership.decide(ALICE.peer, 'allow', '')
    expect(limited.rules.mayConnect(ALICE, BOB)).toEqual({ status: 'ok' })
    expect(rulesWith({ mode: 'token', strangers: { circuits: 'unlimited' } }).rules.mayConnect(ALICE, BOB)).toEqual({ status: 'ok' })
  })

  it('[RL11] connections are bounded in all, by address, by network and by rate, and freed when they end', () => {
    const limits = { connections: 4, connectionsPerAddress: 2, connectionsPerNetwork: 3, connectionBurstPerAddress: 100 }
    const { rules, refusals } = rulesWith({ limits })
    const join = (address: string) => rules.mayJoin(address)
    expect([join('198.51.100.1'), join('198.51.100.1'), join('198.51.100.1')]).toEqual([true, true, false])
    expect([join('198.51.100.2'), join('198.51.100.3')]).toEqual([true, false])
    expect([join('203.0.113.1'), join('203.0.113.2')]).toEqual([true, false])
    expect(refusals).toEqual(['address', 'network', 'total'])
    rules.onLeft('198.51.100.1')
    expect(join('198.51.100.3')).toBe(true)
    const hurried = rulesWith({ limits: { connectionBurstPerAddress: 2, connectionsPerSecondPerAddress: 1 } })
    expect([1, 2, 3].map(() => hurried.rules.mayJoin('2001:db8::1'))).toEqual([true, true, false])
    hurried.clock.now = 1_000
    expect(hurried.rules.mayJoin('2001:db8::1')).toBe(true)
    expect(hurried.refusals).toEqual(['rate'])
  })

  it('[RL36] nobody new is taken when few file descriptors are left, and who goes makes room', () => {
    writeFileSync(join(files, 'limits'), 'Max processes             7    7    processes\nMax open files            20    20    files\n')
    const { rules, refusals } = rulesWith({})
    rmSync(join(files, 'limits'))
    const taken = Array.from({ length: 30 }, () => rules.mayJoin('198.51.100.1')).filter(Boolean).length
    expect([taken, new Set(refusals)]).toEqual([17, new Set(['descriptors'])])
    rules.onLeft('198.51.100.1')
    expect([rules.mayJoin('198.51.100.1'), rules.mayJoin('198.51.100.1')]).toEqual([true, false])
  })

  it('[RL11] places are bounded in all, by address and by network, and by rate for one peer', () => {
    const { rules } = rulesWith({ limits: { reservations: 10, reservationsPerAddress: 2, reservationsPerNetwork: 5 } })
    const held = (total: number, group: string, count: number) => ({ total, inGroup: (each: string) => (each === group ? count : 0) })
    expect(rules.mayReserve(ALICE, held(9, '198.51.100.1', 1))).toBe('ok')
    expect(rules.mayReserve(ALICE, held(10, '', 0))).toBe('reservation-refused')
    expect(rules.mayReserve(ALICE, held(2, '198.51.100.1', 2))).toBe('reservation-refused')
    expect(rules.mayReserve(ALICE, held(5, '198.51.100.0/24', 5))).toBe('reservation-refused')
    const slow = rulesWith({ limits: { reservationsPerMinutePerPeer: 1 } })
    expect([1, 2].map(() => slow.rules.mayReserve(ALICE, NOBODY))).toEqual(['ok', 'resource-limit'])
    slow.clock.now = 60_000
    expect(slow.rules.mayReserve(ALICE, NOBODY)).toBe('ok')
  })

  /** @returns what ends it */
  function open(rules: OperatorRules, { from, to, address = '198.51.100.9' }: { from: string; to: string; address?: string }): () => void {
    const ends = { from, to, address }
    rules.onCircuit(ends, { kind: 'opened' })
    return () => rules.onCircuit(ends, { kind: 'closed', cause: 'ended', lastedMs: 0, bytes: 0 })
  }

  it('[RL11] circuits are bounded in all, by who asks, and by who is asked', () => {
    const { rules, asked } = rulesWith({ limits: { circuits: 4, circuitsPerPeer: 2, circuitsToPeer: 2 } })
    const end = open(rules, { from: ALICE.peer, to: BOB })
    open(rules, { from: '12D3KooWCarol', to: BOB, address: '203.0.113.9' })
    expect(rules.mayConnect(ALICE, BOB)).toEqual({ status: 'resource-limit' })
    expect(rules.mayConnect(ALICE, '12D3KooWDave')).toEqual({ status: 'ok' })
    open(rules, { from: ALICE.peer, to: '12D3KooWDave' })
    expect(rules.mayConnect(ALICE, '12D3KooWErin')).toEqual({ status: 'resource-limit' })
    open(rules, { from: '12D3KooWDave', to: '12D3KooWErin' })
    expect(rules.mayConnect({ ...ALICE, peer: '12D3KooWErin' }, '12D3KooWFrank')).toEqual({ status: 'resource-limit' })
    end()
    expect(rules.mayConnect({ peer: ALICE.peer, address: '192.0.2.1' }, BOB)).toEqual({ status: 'ok' })
    expect(asked).toEqual(['connect member', 'connect peer', 'connect total'])
  })

  it('[RL11] who opens all circuits it may to one member shuts that one out of nothing', () => {
    const { rules, asked } = rulesWith({ limits: { circuitsPerMinutePerPeer: 1_000, circuitsPerMinutePerAddress: 10_000 } })
    const fill = (peer: string, address: string): number => {
      let opened = 0
      for (; rules.mayConnect({ peer, address }, BOB).status === 'ok'; opened += 1) open(rules, { from: peer, to: BOB, address })
      return opened
    }
    expect(fill('mallory', '203.0.113.1')).toBe(32)
    expect([fill('sybil 1', '203.0.113.1'), fill('sybil 2', '203.0.113.1'), fill('sybil 3', '203.0.113.2')]).toEqual([32, 0, 32])
    expect([fill('sybil 4', '203.0.113.3'), fill('sybil 5', '203.0.113.4')]).toEqual([32, 0])
    expect(new Set(asked)).toEqual(new Set(['connect pair']))
    expect(rules.mayConnect(ALICE, BOB).status).toBe('ok')
    for (let other = 0; other < 256; other += 1) {
      expect(rules.mayConnect({ peer: BOB, address: '198.51.100.2' }, `contact ${other}`).status).toBe('ok')
      open(rules, { from: BOB, to: `contact ${other}`, address: '198.51.100.2' })
    }
  })

  it('[RL11] circuits that are being opened count: asking for many at once gives no more', () => {
    const { rules } = rulesWith({ limits: { circuits: 100, strangerCircuitsPerMember: 5 }, mode: 'token' })
    const ends = { from: ALICE.peer, to: BOB, address: ALICE.address }
    const settles = [1, 2, 3, 4].flatMap(() => (rules.mayConnect(ALICE, BOB).status === 'ok' ? [rules.holdCircuit(ends)] : []))
    expect(settles).toHaveLength(2)
    for (const settle of settles) settle()
    expect(rules.mayConnect(ALICE, BOB).status).toBe('ok')
  })

  it('[RL11] circuits are bounded by the address and the network that asked, and by their rate', () => {
    const limits = { circuitsPerAddress: 2, circuitsPerNetwork: 3, circuitsPerMinutePerAddress: 5 }
    const { rules } = rulesWith({ limits })
    const ask = (number: number, address: string) => rules.mayConnect({ peer: `peer ${number}`, address }, `member ${number}`).status
    const begin = (number: number, address: string) => open(rules, { from: `peer ${number}`, to: `member ${number}`, address })
    begin(1, '198.51.100.1')
    begin(2, '198.51.100.1')
    expect([ask(3, '198.51.100.1'), ask(3, '198.51.100.2')]).toEqual(['resource-limit', 'ok'])
    begin(3, '198.51.100.2')
    expect([ask(4, '198.51.100.2'), ask(4, '203.0.113.1')]).toEqual(['resource-limit', 'ok'])
    expect([5, 6, 7, 8, 9].map((number) => ask(number, '203.0.113.1'))).toEqual(['ok', 'ok', 'ok', 'ok', 'resource-limit'])
  })

  it('[RL11] strangers have a few circuits to a member and take none of its own', () => {
    const { rules, membership } = rulesWith({ mode: 'token', limits: { circuitsPerPeer: 2, strangerCircuitsPerMember: 3 } })
    const from = (number: number): string => `203.0.${number}.1`
    for (const each of [ALICE.peer, BOB]) membership.decide(each, 'allow', '')
    for (let number = 0; number < 3; number += 1) {
      expect(rules.mayConnect({ peer: `stranger ${number}`, address: from(number) }, BOB)).toMatchObject({ status: 'ok' })
      rules.onCircuit({ from: `stranger ${number}`, to: BOB, address: from(number) }, { kind: 'opened' })
    }
    expect(rules.mayConnect({ peer: 'stranger 4', address: from(4) }, BOB)).toEqual({ status: 'resource-limit' })
    expect(rules.mayConnect(ALICE, BOB)).toEqual({ status: 'ok' })
    expect(rules.mayConnect({ peer: BOB, address: '198.51.100.2' }, ALICE.peer)).toEqual({ status: 'ok' })
  })

  it('[RL30, RL31, RL32] one address has so much done for it, each service by itself; another is served', () => {
    const { rules, asked, clock } = rulesWith({ limits: { requestsPerSecondPerAddress: 1, requestBurstPerAddress: 2 } })
    const ask = (peer: string, address: string) => rules.mayAsk('dht', { peer, address, connection: '' })
    expect([ask('a', '198.51.100.1'), ask('b', '198.51.100.1'), ask('c', '198.51.100.1')]).toEqual([true, true, false])
    expect(rules.mayAsk('cards', { peer: 'c', address: '198.51.100.1', connection: '' })).toBe(true)
    expect([ask('d', '2001:db8::1'), ask('d', '2001:db8::2'), ask('d', '2001:db8::3')]).toEqual([true, true, false])
    expect(ask('d', '2001:db8:0:1::1')).toBe(true)
    expect(asked).toEqual(['dht rate', 'dht rate'])
    clock.now = 1_000
    expect(ask('c', '198.51.100.1')).toBe(true)
  })

  it("[RL12] bulk waits for the relay's rate, chat does not, and both are counted", () => {
    const { rules, meter } = rulesWith({ limits: { bytesPerSecond: 1_000 } })
    const ends = { from: ALICE.peer, to: BOB }
    expect(rules.onPassage(ends, { bytes: 10_000, class: 'bulk' })).toBe(9_500)
    expect(rules.onPassage(ends, { bytes: 1_000, class: 'chat' })).toBe(0)
    expect(rules.onPassage(ends, { bytes: 1_000, class: 'bulk' })).toBe(11_500)
    expect(meter.classes).toEqual({ chat: 1_000, bulk: 11_000 })
  })

  it('[RL15] what a rate makes wait is counted by the rate, and what passes by its pieces', () => {
    const { rules, meter } = rulesWith({ limits: { bytesPerSecond: 10_000, bytesPerSecondPerPeer: 1_000 } })
    const ends = { from: ALICE.peer, to: BOB }
    rules.onPassage(ends, { bytes: 400, class: 'chat' })
    expect(meter.held).toEqual({ peer: { bytes: 0, times: 0 }, relay: { bytes: 0, times: 0 }, budget: { bytes: 0, times: 0 } })
    rules.onPassage(ends, { bytes: 700, class: 'chat' })
    rules.onPassage({ from: 'carol', to: 'dave' }, { bytes: 400, class: 'bulk' })
    rules.budget = 'slow'
    rules.apply(parseSettings({ budget: { slowBytesPerSecond: 1_024 } }))
    rules.onPassage(ends, { bytes: 2_000, class: 'bulk' })
    rules.onMail({ connection: '', address: ALICE.address }, 5_000)
    expect(meter.held).toMatchObject({ peer: { bytes: 700, times: 1 }, budget: { bytes: 2_000, times: 1 } })
    expect(meter.pieces).toEqual({ chat: 2, bulk: 2 })
  })

  it('[RL12] many senders together keep to the rate, however slow it is', () => {
    const { rules, clock } = rulesWith({ limits: { bytesPerSecond: 1_000 } })
    const free = Array.from({ length: 100 }, () => 0)
    let passed = 0
    for (; clock.now < 3_600_000; clock.now += 10_000)
      for (const [sender, at] of free.entries()) {
        if (clock.now < at) continue
        passed += 100_000
        free[sender] = clock.now + rules.onPassage({ from: `peer ${sender}`, to: BOB }, { bytes: 100_000, class: 'bulk' })
      }
    // One hour of the rate, and what each of them had gathered.
    expect(passed).toBeLessThanOrEqual(3_600_000 + 100 * 100_000)
  })

  it('[RL12] chat beyond the rate keeps bulk waiting for half a minute, not without end', () => {
    const { rules } = rulesWith({ limits: { bytesPerSecond: 1_000 } })
    const ends = { from: ALICE.peer, to: BOB }
    for (let n = 0; n < 1_000; n += 1) rules.onPassage(ends, { bytes: 10_000, class: 'chat' })
    expect(rules.onPassage(ends, { bytes: 1_000, class: 'bulk' })).toBe(31_000)
  })

  it('[RL12] who is called pays for what it sends, not for what it is sent', () => {
    const { rules } = rulesWith({ limits: { bytesPerSecondPerPeer: 1_000 } })
    const flood = { from: 'flooder', to: BOB }
    expect(rules.onPassage(flood, { bytes: 10_000, class: 'bulk', sender: 'flooder' })).toBe(9_500)
    expect(rules.onPassage({ from: ALICE.peer, to: BOB }, { bytes: 100, class: 'bulk', sender: BOB })).toBe(0)
    expect(rules.onPassage({ from: BOB, to: ALICE.peer }, { bytes: 1_000, class: 'bulk', sender: BOB })).toBe(600)
  })

  it('[RL12] one peer that floods waits, and nobody else does', () => {
    const { rules } = rulesWith({ limits: { bytesPerSecondPerPeer: 1_000 } })
    expect(rules.onPassage({ from: ALICE.peer, to: BOB }, { bytes: 10_000, class: 'chat' })).toBe(9_500)
    expect(rules.onPassage({ from: '12D3KooWCarol', to: '12D3KooWDave' }, { bytes: 100, class: 'bulk' })).toBe(0)
  })

  it('[RL13] when the budget is used nothing is answered for anybody, and mail neither comes nor goes', () => {
    const { rules, asked } = rulesWith({})
    const caller = { ...ALICE, connection: '' }
    rules.budget = 'slow'
    expect([rules.mayAsk('dht', caller), rules.onMail({ connection: '', address: ALICE.address }, 1_000)]).toEqual([true, 0])
    rules.budget = 'stopped'
    expect((['dht', 'gossip', 'cards', 'admission'] as const).map((each) => rules.mayAsk(each, caller))).not.toContain(true)
    expect(rules.onMail({ connection: '', address: ALICE.address }, 0)).toBe(Number.POSITIVE_INFINITY)
    expect(asked).toEqual(['dht budget', 'gossip budget', 'cards budget', 'admission budget', 'mail budget'])
  })

  it('[BU7] what was allowed before begins no more for whom it is not allowed now, nor when the relay takes nobody', () => {
    const { rules, membership } = rulesWith({ mode: 'token', strangers: { circuits: 'unlimited' } })
    expect(rules.mayBegin(BOB)).toBe(true)
    membership.decide(BOB, 'deny', '')
    expect([rules.mayBegin(BOB), rules.mayBegin(ALICE.peer)]).toEqual([false, true])
    rules.draining = true
    expect(rules.mayBegin(ALICE.peer)).toBe(false)
    expect(rulesWith({ mode: 'token' }).rules.mayBegin(ALICE.peer)).toBe(false)
  })

  it('[RL35] who gets no place or no circuit is counted by what stood in the way', () => {
    const full = rulesWith({ limits: { reservations: 5, circuitsPerPeer: 1 } })
    const held = (total: number) => ({ total, inGroup: () => 0 })
    expect([full.rules.mayReserve(ALICE, held(5)), full.rules.mayConnect(ALICE, BOB).status]).toEqual(['reservation-refused', 'ok'])
    full.rules.holdCircuit({ from: ALICE.peer, to: BOB, address: ALICE.address })
    expect(full.rules.mayConnect(ALICE, BOB).status).toBe('resource-limit')
    full.rules.draining = true
    full.rules.mayReserve(ALICE, NOBODY)
    expect(full.asked).toEqual(['reserve total', 'connect peer', 'reserve draining'])
    const shut = rulesWith({ mode: 'token', strangers: { circuits: 'none' } })
    shut.rules.mayReserve(ALICE, NOBODY)
    shut.rules.mayConnect(ALICE, BOB)
    expect(shut.asked).toEqual(['reserve not-admitted', 'connect not-admitted'])
  })

  it('[RL15] a rate that makes somebody wait is named for a minute', () => {
    const { rules, clock } = rulesWith({ limits: { bytesPerSecondPerPeer: 1_000 } })
    expect(rules.slowedBy()).toEqual([])
    rules.onPassage({ from: 'a', to: 'b' }, { bytes: 5_000, class: 'bulk' })
    expect(rules.slowedBy()).toEqual(['limits.bytesPerSecondPerPeer'])
    clock.now = 61_000
    expect(rules.slowedBy()).toEqual([])
  })

  it('[RL12] mail is held to the rate of one peer by its address, and files wait for it', () => {
    const { rules } = rulesWith({ limits: { bytesPerSecondPerPeer: 1_000, bytesPerSecond: 2_000 } })
    const [home, cafe] = ['198.51.100.1', '198.51.100.2'].map((address) => ({ connection: '', address }))
    if (home === undefined || cafe === undefined) throw new Error('two addresses')
    expect([rules.onMail(home, 2_500), rules.onMail({ ...home, connection: 'other' }, 0), rules.onMail(cafe, 500)]).toEqual([
      2_000, 2_000, 0,
    ])
    expect(rules.onPassage({ from: 'a', to: 'b' }, { bytes: 0, class: 'bulk' })).toBe(1_000)
  })

  it('[RL13] near the end of the budget files are slowed and chat is not; at its end nobody new is taken', () => {
    const { rules, refusals } = rulesWith({ budget: { bytesPerMonth: 1_000, slowBytesPerSecond: 1_024 } })
    const ends = { from: ALICE.peer, to: BOB }
    rules.budget = 'slow'
    expect(rules.onPassage(ends, { bytes: 10_240, class: 'bulk' })).toBe(9_500)
    expect(rules.onPassage(ends, { bytes: 10_240, class: 'chat' })).toBe(0)
    rules.budget = 'stopped'
    expect([rules.mayReserve(ALICE, NOBODY), rules.mayConnect(ALICE, BOB)]).toEqual(['resource-limit', { status: 'resource-limit' }])
    expect(rules.mayJoin(ALICE.address)).toBe(false)
    expect(refusals).toEqual(['budget'])
  })

  it('[RL14] new settings hold at once', () => {
    const { rules } = rulesWith({})
    expect(rules.mayReserve(ALICE, NOBODY)).toBe('ok')
    rules.apply(parseSettings({ mode: 'closed' }))
    expect(rules.mayReserve(ALICE, NOBODY)).toBe('denied')
  })
})

describe('addresses', () => {
  it('[RL11] belong to a /24, or to a /64 and a /48, IPv4 in whatever form', () => {
    expect(groupsOf('198.51.100.77')).toEqual(['198.51.100.77', '198.51.100.0/24'])
    expect(groupsOf('::ffff:198.51.100.77')).toEqual(['198.51.100.77', '198.51.100.0/24'])
    expect(groupsOf('2001:db8:1:2::3')).toEqual(['2001:db8:1:2::/64', '2001:db8:1::/48'])
    expect(groupsOf('2001:db8:1:2::3')[1]).toBe(groupsOf('2001:db8:1:ffff::4')[1])
    expect(groupsOf('2001:db8:1::')[1]).not.toBe(groupsOf('2001:db8:2::')[1])
    expect(groupsOf('relay.example')).toEqual([])
  })
})

describe('buckets', () => {
  it('[RL11] never give more than burst and rate allow, whatever the clock does, and stay bounded', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { maxLength: 200 }), (steps) => {
        let now = 0
        let [latest, taken] = [0, 0]
        const buckets = new Buckets(() => now)
        let forwards = 0
        for (const step of steps) {
          now += step
          forwards += Math.max(0, step)
          latest = Math.max(latest, now)
          if (buckets.take('a', { perSecond: 10, burst: 5 })) taken += 1
        }
        expect(taken).toBeLessThanOrEqual(5 + Math.ceil(forwards / 100) + 1)
      }),
    )
    const small = new Buckets(() => 0, 10)
    for (let n = 0; n < 1_000; n += 1) small.take(`peer ${n}`, { perSecond: 1, burst: 1 })
    expect(small.size).toBe(10)
    let now = 0
    const idle = new Buckets(() => now)
    for (let n = 0; n < 1_000; n += 1) idle.take(`peer ${n}`, { perSecond: 1, burst: 5 })
    now = 5_000
    for (let n = 0; n < 1_000; n += 1) idle.take('somebody', { perSecond: 1, burst: 5 })
    expect(idle.size).toBe(1)
  })
})
