import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSkeinError } from '../errors/index.ts'
import { type End, makeEnd, makePair, End as EndOf } from '../testing/ends.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { decodeRatchetHeader, decodeSessionMessage, encodeRatchetHeader, encodeSessionMessage } from '../wire/sealed.ts'
import { MAX_SKIPPED_KEYS, MAX_SKIPPED_PER_STEP, SKIPPED_KEY_LIFETIME_MS } from './ratchet.ts'
import { MAX_SESSIONS, retireAll, sendingSession, startSession } from './session.ts'
import { decodeSessions, encodeSessions } from './session-record.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (plain: Uint8Array): string => new TextDecoder().decode(plain)
const code = (wanted: string) => expect.objectContaining({ code: wanted })

/** A pair that has spoken both ways. */
function spoken(seed: number): readonly [End, End] {
  const [ana, bo] = makePair(seededRandom(seed))
  bo.open(ana.seal(bytes('hello')))
  ana.open(bo.seal(bytes('hi')))
  return [ana, bo]
}

/** The message with its parsed header changed and encoded again. */
function withHeader(message: Uint8Array, change: Partial<ReturnType<typeof decodeRatchetHeader>>): Uint8Array {
  const parsed = decodeSessionMessage(message)
  return encodeSessionMessage({ ...parsed, header: encodeRatchetHeader({ ...decodeRatchetHeader(parsed.header), ...change }) })
}

function skippedKeys({ sessions }: End): number {
  return sessions.list.flatMap(({ ratchet }) => ratchet.receiving.map(({ skipped }) => skipped.length)).reduce((sum, each) => sum + each, 0)
}

describe('sessions of a pair', () => {
  it('[ES1] the first message opens without anything having gone the other way, also the tenth before any answer', () => {
    const [ana, bo] = makePair(seededRandom(1))
    const sent = Array.from({ length: 10 }, (_, number) => ana.seal(bytes(`message ${number}`)))
    expect(sent.toReversed().map((message) => text(bo.open(message)))).toEqual(Array.from({ length: 10 }, (_, n) => `message ${9 - n}`))
    ana.open(bo.seal(bytes('got them')))
    expect(decodeSessionMessage(ana.seal(bytes('next'))).first).toBeUndefined()
  })

  it('[ES2] both begin at once: both sessions open, and both sides settle on the same one', () => {
    const [ana, bo] = makePair(seededRandom(2))
    const [fromAna, fromBo] = [ana.seal(bytes('a')), bo.seal(bytes('b'))]
    expect([text(ana.open(fromBo)), text(bo.open(fromAna))]).toEqual(['b', 'a'])
    for (let round = 0; round < 3; round += 1) {
      expect(text(bo.open(ana.seal(bytes(`to bo ${round}`))))).toBe(`to bo ${round}`)
      expect(text(ana.open(bo.seal(bytes(`to ana ${round}`))))).toBe(`to ana ${round}`)
    }
    expect(sendingSession(ana.sessions)?.id).toBe(sendingSession(bo.sessions)?.id)
  })

  it('[ES3] at most five sessions are kept, the retired and then the oldest go', () => {
    const [ana, bo] = makePair(seededRandom(3))
    for (let round = 0; round < 8; round += 1) {
      ana.sessions = startSession(ana.context(), retireAll(ana.sessions), bo.keys)
      bo.open(ana.seal(bytes('again')))
    }
    expect([ana.sessions.list.length, bo.sessions.list.length]).toEqual([MAX_SESSIONS, MAX_SESSIONS])
    expect(text(ana.open(bo.seal(bytes('still here'))))).toBe('still here')
  })

  it('[ES5] who lost its state starts anew; older sessions only receive from then on', () => {
    const [ana, bo] = spoken(4)
    const late = bo.seal(bytes('sent before'))
    bo.sessions = { list: [], resetSentAt: 0 }
    expect(text(ana.open(bo.seal(bytes('I am new'))))).toBe('I am new')
    expect(text(bo.open(ana.seal(bytes('welcome back'))))).toBe('welcome back')
    expect(text(ana.open(late))).toBe('sent before')
  })

  it('[ES8] the record at rest gives back the same state', () => {
    const [ana, bo] = spoken(5)
    const lost = [ana.seal(bytes('1')), ana.seal(bytes('2')), ana.seal(bytes('3'))]
    bo.open(lost[2] ?? new Uint8Array())
    for (const end of [ana, bo]) expect(decodeSessions(encodeSessions(end.sessions))).toEqual(end.sessions)
    bo.sessions = decodeSessions(encodeSessions(bo.sessions))
    expect(text(bo.open(lost[0] ?? new Uint8Array()))).toBe('1')
    expect(() => decodeSessions(Uint8Array.of(1, 2, 3))).toThrow(code('STORE_CORRUPT'))
  })
})

describe('what a message may not do', () => {
  it('[ER7] a repeated message is refused as such, in the current chain, an old chain and among the skipped', () => {
    const [ana, bo] = spoken(11)
    const [first, second, third] = ['1', '2', '3'].map((each) => ana.seal(bytes(each)))
    if (first === undefined || second === undefined || third === undefined) throw new Error('nothing sealed')
    bo.open(third)
    bo.open(first)
    for (const message of [third, first]) expect(() => bo.open(message)).toThrow(code('KEY_USED'))
    ana.open(bo.seal(bytes('turn')))
    bo.open(ana.seal(bytes('next chain')))
    expect(text(bo.open(second))).toBe('2')
    for (const message of [first, second, third]) expect(() => bo.open(message)).toThrow(code('KEY_USED'))
  })

  it('[ER6] any changed byte is refused and changes nothing', () => {
    const [ana, bo] = spoken(12)
    const message = ana.seal(bytes('a message whose every byte counts'))
    const before = encodeSessions(bo.sessions)
    fc.assert(
      fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const forged = message.map((byte, index) => (index === at ? byte ^ flip : byte))
        expect(() => bo.open(forged)).toThrow(expect.objectContaining({ name: 'SkeinError' }))
        expect(encodeSessions(bo.sessions)).toEqual(before)
      }),
      { numRuns: 200 },
    )
    expect(text(bo.open(message))).toBe('a message whose every byte counts')
  })

  it('[ER10] a forged counter of 2³²−1 costs one HMAC; an honest jump over the limit waits for what lies between', () => {
    const [ana, bo] = spoken(13)
    const before = encodeSessions(bo.sessions)
    expect(() => bo.open(withHeader(ana.seal(bytes('x')), { number: 0xffffffff }))).toThrow(code('SEAL_BROKEN'))
    expect(() => bo.open(withHeader(ana.seal(bytes('x')), { previous: 0xffffffff }))).toThrow(code('SEAL_BROKEN'))
    const flood = Array.from({ length: MAX_SKIPPED_PER_STEP + 2 }, (_, number) => ana.seal(bytes(`${number}`)))
    const [last, near] = [flood.at(-1), flood.at(-200)]
    if (last === undefined || near === undefined) throw new Error('nothing sealed')
    expect(() => bo.open(last)).toThrow(code('TOO_FAR_AHEAD'))
    expect(encodeSessions(bo.sessions)).toEqual(before)
    bo.open(near)
    expect(text(bo.open(last))).toBe(`${MAX_SKIPPED_PER_STEP + 1}`)
  })

  it('[ER11] [ER12] skipped keys are bounded in number and age', () => {
    const [ana, bo] = spoken(14)
    const kept: Uint8Array[] = []
    for (let jump = 0; jump < 3; jump += 1) {
      const run = Array.from({ length: 900 }, () => ana.seal(bytes('skipped')))
      kept.push(...run.slice(0, 1))
      bo.open(run.at(-1) ?? new Uint8Array())
    }
    expect(skippedKeys(bo)).toBe(MAX_SKIPPED_KEYS)
    expect(() => bo.open(kept[0] ?? new Uint8Array())).toThrow(code('KEY_USED'))
    expect(text(bo.open(kept[2] ?? new Uint8Array()))).toBe('skipped')
    bo.now += SKIPPED_KEY_LIFETIME_MS + 1
    bo.open(ana.seal(bytes('a month later')))
    expect(skippedKeys(bo)).toBe(0)
  })

  it('[ER13] a ratchet key that we could not have been answered with is refused without a Diffie-Hellman', () => {
    const [ana, bo] = makePair(seededRandom(15))
    bo.open(ana.seal(bytes('one way only')))
    const forged = withHeader(ana.seal(bytes('x')), { ratchetKey: new Uint8Array(32).fill(9) })
    let agreements = 0
    const counting = {
      ...bo.context().primitives,
      x25519: (...args: [Uint8Array, Uint8Array]) => (agreements++, bo.context().primitives.x25519(...args)),
    }
    const watched = new EndOf(bo.keys, ana.keys, { random: seededRandom(1), primitives: counting })
    watched.sessions = bo.sessions
    expect(() => watched.open(forged)).toThrow(code('SEAL_BROKEN'))
    expect(agreements).toBe(0)
  })

  it('[EB9] zero and low-order keys are refused as prekey, identity, ephemeral and ratchet key', () => {
    const low = [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]
    for (const key of low) {
      const [ana, bo] = makePair(seededRandom(16))
      expect(() => startSession(ana.context(), ana.sessions, { bundle: { ...bo.keys.bundle, signedPrekey: key } })).toThrow(
        code('KEY_REFUSED'),
      )
      const context = { ...ana.context(), remote: { ...bo.keys.own, dhKey: key } }
      expect(() => startSession(context, ana.sessions, bo.keys)).toThrow(code('KEY_REFUSED'))
      expect(() => startSession(ana.context(), ana.sessions, { ...bo.keys, oneTime: { id: 1, key } })).toThrow(code('KEY_REFUSED'))
      const flight = decodeSessionMessage(ana.seal(bytes('x')))
      if (flight.first === undefined) throw new Error('no first flight')
      expect(() => bo.open(encodeSessionMessage({ ...flight, first: { ...flight.first, ephemeralKey: key } as never }))).toThrow(
        code('KEY_REFUSED'),
      )
      const [cy, di] = spoken(17)
      expect(() => di.open(withHeader(cy.seal(bytes('x')), { ratchetKey: key }))).toThrow(expect.objectContaining({ name: 'SkeinError' }))
    }
    const [ana, bo] = makePair(seededRandom(18))
    expect(() =>
      startSession(ana.context(), ana.sessions, { bundle: { ...bo.keys.bundle, kemKey: new Uint8Array(1_184).fill(0xff) } }),
    ).toThrow(code('KEY_REFUSED'))
  })

  it('[EB5] unknown key share: a first flight opens only between the two whose identities it was made for', () => {
    const random = seededRandom(19)
    const [ana, bo, eve] = [makeEnd(random), makeEnd(random), makeEnd(random)]
    const flight = new EndOf(ana, bo, { random }).seal(bytes('for bo from ana'))
    // Eve shows Ana's flight as her own, with Ana's DH key in her list; and Bo's prekeys are claimed by Eve.
    const claimed = { ...eve, own: { ...eve.own, dhKey: ana.own.dhKey } }
    expect(() => new EndOf(bo, claimed, { random }).open(flight)).toThrow(code('SEAL_BROKEN'))
    const misled = new EndOf(ana, { ...eve, bundle: bo.bundle }, { random }).seal(bytes('meant for eve'))
    expect(() => new EndOf(bo, ana, { random }).open(misled)).toThrow(code('SEAL_BROKEN'))
    expect(text(new EndOf(bo, ana, { random }).open(flight))).toBe('for bo from ana')
  })
})

describe('seeded storms', () => {
  const message = fc.record({
    fromAna: fc.boolean(),
    copies: fc.oneof(
      { weight: 7, arbitrary: fc.constant(1) },
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.constant(2) },
    ),
    delay: fc.nat(500),
    corrupt: fc.oneof({ weight: 30, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    restart: fc.oneof({ weight: 50, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  })

  it('[ER14] whatever is lost, doubled, corrupted, restarted and reordered within 500: each delivered message opens exactly once', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 100, maxLength: 400 }), fc.integer(), (plan, seed) => {
        const storm = new Storm(seed)
        for (const [at, each] of plan.entries()) storm.send(at, each)
        storm.deliver()
        expect(storm.opened).toEqual(storm.expected)
        expect(storm.keysUsedTwice).toBe(0)
      }),
      { numRuns: 40 },
    )
  }, 120_000)
})

interface Planned {
  readonly fromAna: boolean
  readonly copies: number
  readonly delay: number
  readonly corrupt: boolean
  readonly restart: boolean
}

/** Sends by plan; delivers in order of sending time plus delay, interleaved with sending. */
class Storm {
  readonly opened = new Map<string, number>()
  readonly expected = new Map<string, number>()
  keysUsedTwice = 0
  private readonly used = new Set<string>()
  private readonly ends: readonly [End, End]
  private queue: { readonly due: number; readonly to: End; readonly bytes: Uint8Array; readonly corrupt: boolean }[] = []

  constructor(seed: number) {
    const primitives = makePair(seededRandom(seed))[0].context().primitives
    const aeadSeal: typeof primitives.aeadSeal = (key, nonce, plaintext, associated) => {
      const name = `${key.join()} ${nonce.join()}`
      if (this.used.has(name)) this.keysUsedTwice += 1
      this.used.add(name)
      return primitives.aeadSeal(key, nonce, plaintext, associated)
    }
    this.ends = makePair(seededRandom(seed), { ...primitives, aeadSeal })
  }

  send(at: number, { fromAna, copies, delay, corrupt, restart }: Planned): void {
    const [from, to] = fromAna ? this.ends : [this.ends[1], this.ends[0]]
    const name = `message ${at}`
    const sealed = from.seal(bytes(name))
    for (let copy = 0; copy < copies; copy += 1)
      this.queue.push({ due: at + delay + copy * 3, to, bytes: sealed, corrupt: corrupt && copy === 0 })
    if (copies > (corrupt ? 1 : 0)) this.expected.set(name, 1)
    if (restart) from.sessions = decodeSessions(encodeSessions(from.sessions))
    this.deliver(at)
  }

  deliver(until = Number.POSITIVE_INFINITY): void {
    this.queue.sort((a, b) => a.due - b.due)
    for (let next = this.queue[0]; next !== undefined && next.due <= until; next = this.queue[0]) {
      this.queue.shift()
      this.arrive(next)
    }
  }

  private arrive({ to, bytes: sealed, corrupt }: { to: End; bytes: Uint8Array; corrupt: boolean }): void {
    const arriving = corrupt ? sealed.map((byte, at) => (at === sealed.length - 5 ? byte ^ 1 : byte)) : sealed
    const before = encodeSessions(to.sessions)
    try {
      const name = text(to.open(arriving))
      this.opened.set(name, (this.opened.get(name) ?? 0) + 1)
    } catch (error) {
      if (!isSkeinError(error) || encodeSessions(to.sessions).join() !== before.join()) throw error
    }
  }
}
