import { hex } from '@scure/base'
import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { tagOfFetchKey } from '../e2ee/delivery-tags.ts'
import { type DeviceId, deviceIdFromKey, deviceKey } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import { MemoryMailboxStore } from '../testing/memory-mailbox-store.ts'
import { MemoryNetwork } from '../testing/memory-network.ts'
import { plainIssuer, plainTokens } from '../testing/plain-tokens.ts'
import { RecordingLogger } from '../testing/recording-logger.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { settle, VirtualClock } from '../testing/virtual-clock.ts'
import { encodeMailboxRequest, encodeMailReceipt, type MailboxReplyFields, type MailboxRequestFields } from '../wire/mailbox.ts'
import { encodeEnvelope } from '../wire/sealed.ts'
import { isSignedBy, sign } from '../wire/signed.ts'
import { MAILBOX_BOUNDS, type MailboxBounds, WorkPace } from './bounds.ts'
import { MailboxLink } from './mailbox-link.ts'
import { MailboxService, TOKENS_PER_DAY } from './mailbox-service.ts'
import { MAILBOX_PROTOCOL } from './protocol.ts'
import { DEPOSITS_PER_TOKEN } from './rules.ts'
import type { ShareBounds } from './shares.ts'

const URL = 'http://relay.test'
const HOUR_MS = 3_600_000
const NONE = new Uint8Array()

describe('the mailbox of a relay', () => {
  const random = seededRandom(77)
  const seed = random.bytes(32)
  const relay = deviceIdFromKey(primitives.ed25519PublicKey(seed))
  const self = deviceIdFromKey(primitives.ed25519PublicKey(random.bytes(32)))
  let clock: VirtualClock
  let store: MemoryMailboxStore
  let network: MemoryNetwork
  let member: (peer: DeviceId) => boolean
  let bounds: MailboxBounds
  let bounded: string[]
  let offences: string[]
  let pace: (bytes: number) => number
  let limits: { maxBytes: number }
  let service: MailboxService
  let owner: DeviceId | undefined

  beforeEach(() => {
    clock = new VirtualClock()
    store = new MemoryMailboxStore()
    network = new MemoryNetwork()
    member = (peer) => peer === self
    limits = { maxBytes: 1e8 }
    const deps = {
      store,
      clock,
      random,
      primitives,
      seed,
      logger: new RecordingLogger(),
      issuer: plainIssuer('relay', clock),
      limits,
    }
    bounds = MAILBOX_BOUNDS
    bounded = []
    offences = []
    pace = () => 0
    service = new MailboxService({
      ...deps,
      isMember: (peer) => member(peer),
      bounds: () => bounds,
      onBound: (what) => void bounded.push(what),
      onOffence: (what) => void offences.push(what),
      pace: (_, bytes) => pace(bytes),
    })
    // One disguise is one connection; all but the owner come from one address.
    const serve = (channel: Channel): Promise<void> =>
      service.serve(channel, { connection: channel.peer, address: channel.peer === owner ? 'home' : 'cafe', network: 'town' })
    owner = undefined
    network.setRelay(URL, { device: relay, handlers: new Map([[MAILBOX_PROTOCOL, serve]]) })
    network.join(self)
  })

  async function done<T>(work: Promise<T>, ms = 50): Promise<T> {
    let over = false
    void work.finally(() => (over = true)).catch(() => undefined)
    for (let step = 0; step < 200 && !over; step += 1) {
      do await settle()
      while (network.pump())
      if (!over) await clock.advance(ms)
    }
    return work
  }

  /** Everything that is on its way has arrived. */
  async function quiet(): Promise<void> {
    for (let round = 0; round < 20; round += 1) {
      network.pump()
      await settle()
    }
  }

  async function open(disguise?: string): Promise<MailboxLink> {
    const swarm = network.join(self)
    const wish = { url: URL, signal: new AbortController().signal, ...(disguise === undefined ? {} : { disguise }) }
    const link = await done(MailboxLink.open({ swarm, clock }, wish))
    if (link === undefined) throw new Error('the relay is away')
    return link
  }

  const ask = (link: MailboxLink, body: MailboxRequestFields): Promise<MailboxReplyFields | undefined> => done(link.ask(body, 60_000))
  const fetchSeed = (number: number): Uint8Array => primitives.sha256(Uint8Array.of(number))
  const tagOf = (number: number): Uint8Array => tagOfFetchKey(primitives, primitives.ed25519PublicKey(fetchSeed(number)))
  const envelope = (number: number, { box = 1, hours = 24, size = 300 } = {}): Uint8Array =>
    encodeEnvelope({
      deliveryTag: tagOf(box),
      expiryHour: Math.floor(clock.now() / HOUR_MS) + hours,
      prekeyId: 1,
      sealed: new Uint8Array(size).fill(number),
    })
  const right = (link: MailboxLink, number: number, challenge: Uint8Array = link.challenge) => ({
    fetchKey: primitives.ed25519PublicKey(fetchSeed(number)),
    signature: sign(primitives, 'skein fetch right v1', { statement: challenge, seed: fetchSeed(number) }).signature,
  })
  async function tokens(count: number): Promise<readonly Uint8Array[]> {
    const link = await open()
    const order = plainTokens.order(random, { issuer: relay, key: link.tokenKey, count })
    const reply = await ask(link, { kind: 'tokens', blinded: order.blinded })
    if (reply?.kind !== 'issued') throw new Error('no tokens')
    link.close()
    return order.finish(reply.evaluated, reply.proof)
  }
  const deposit = (link: MailboxLink, sealed: Uint8Array, token: Uint8Array = NONE) =>
    ask(link, { kind: 'deposit', envelope: sealed, token })
  const all = { kind: 'fetch', after: 0, limit: 100, waitMs: 0 } as const
  const refused = (why: string) => ({ kind: 'refused', why })

  it('[MB2] strangers cannot fill a box: a deposit wants a token, and one pays for many under one tag', async () => {
    const link = await open('a sender')
    expect(await deposit(link, envelope(1))).toEqual(refused('token-wanted'))
    const [first = NONE, second = NONE] = await tokens(2)
    expect(await deposit(link, envelope(1), first)).toMatchObject({ kind: 'stored' })
    for (let number = 2; number <= DEPOSITS_PER_TOKEN; number += 1) expect((await deposit(link, envelope(number)))?.kind).toBe('stored')
    expect(await deposit(link, envelope(99))).toEqual(refused('token-wanted'))
    expect(await deposit(link, envelope(99), first)).toEqual(refused('token-spent'))
    expect(await deposit(link, envelope(99, { box: 2 }))).toEqual(refused('token-wanted'))
    expect((await deposit(link, envelope(99), second))?.kind).toBe('stored')
  })

  it('[MB1] that something is stored is signed by the relay', async () => {
    const link = await open('a sender')
    const [token = NONE] = await tokens(1)
    const sealed = envelope(1)
    const reply = await deposit(link, sealed, token)
    if (reply?.kind !== 'stored') throw new Error('not stored')
    const { storedAt, expiresAt, signature } = reply
    const statement = encodeMailReceipt({ envelopeDigest: primitives.sha256(sealed), storedAt, expiresAt })
    expect(isSignedBy(primitives, 'skein mail receipt v1', { signed: { statement, signature }, key: deviceKey(relay) })).toBe(true)
  })

  it('[MB3] only whoever can sign with the key behind a tag fetches and deletes; a signature is good on one stream', async () => {
    const sender = await open('a sender')
    const [token = NONE] = await tokens(1)
    await deposit(sender, envelope(1), token)
    const [owner, thief] = [await open('the owner'), await open('a thief')]
    expect(await ask(thief, { kind: 'open', rights: [right(owner, 1)] })).toEqual(refused('not-yours'))
    expect(await ask(thief, { kind: 'open', rights: [{ ...right(thief, 2), fetchKey: right(thief, 1).fetchKey }] })).toEqual(
      refused('not-yours'),
    )
    expect(await ask(thief, all)).toEqual({ kind: 'batch', items: [] })
    await ask(thief, { kind: 'forget', cursors: [1, 2, 3] })
    expect(await ask(owner, { kind: 'open', rights: [right(owner, 1)] })).toEqual({ kind: 'done' })
    const mail = await ask(owner, all)
    expect(mail).toMatchObject({ items: [{ envelope: envelope(1) }] })
    await ask(owner, { kind: 'forget', cursors: mail?.kind === 'batch' ? mail.items.map(({ cursor }) => cursor) : [] })
    expect(await ask(owner, all)).toEqual({ kind: 'batch', items: [] })
  })

  it('[MB8] cursors beyond the end, of others or out of range give and delete nothing', async () => {
    const [sender, owner] = [await open('a sender'), await open('the owner')]
    const [token = NONE] = await tokens(1)
    await deposit(sender, envelope(1), token)
    await ask(owner, { kind: 'open', rights: [right(owner, 1)] })
    expect(await ask(owner, { ...all, after: 2 ** 40 })).toEqual({ kind: 'batch', items: [] })
    await ask(owner, { kind: 'forget', cursors: [2 ** 40, 0] })
    expect(await ask(owner, { ...all, limit: 0 })).toMatchObject({ items: [{ cursor: 1 }] })
  })

  it('[MB13] a fetch waits for what comes, also under a tag that is shown meanwhile', async () => {
    const [sender, owner] = [await open('a sender'), await open('the owner')]
    const paid = await tokens(2)
    await ask(owner, { kind: 'open', rights: [right(owner, 1)] })
    const waiting = owner.ask({ ...all, waitMs: 40_000 }, 40_000)
    await deposit(sender, envelope(1), paid[0])
    expect(await done(waiting)).toMatchObject({ items: [{ envelope: envelope(1) }] })
    const second = owner.ask({ ...all, after: 1, waitMs: 40_000 }, 40_000)
    await ask(owner, { kind: 'open', rights: [right(owner, 2)] })
    expect(await done(second)).toEqual({ kind: 'batch', items: [] })
    const third = owner.ask({ ...all, after: 1, waitMs: 40_000 }, 40_000)
    await deposit(sender, envelope(2, { box: 2 }), paid[1])
    expect(await done(third)).toMatchObject({ items: [{ envelope: envelope(2, { box: 2 }) }] })
  })

  it('[MB14] mail goes at the pace of the relay, both ways', async () => {
    const [sender, owner] = [await open('a sender'), await open('the owner')]
    const [token = NONE] = await tokens(1)
    await ask(owner, { kind: 'open', rights: [right(owner, 1)] })
    pace = (bytes) => bytes * 10
    const before = clock.monotonic()
    expect(await deposit(sender, envelope(1), token)).toMatchObject({ kind: 'stored' })
    const between = clock.monotonic()
    expect(await ask(owner, all)).toMatchObject({ items: [{ envelope: envelope(1) }] })
    expect(Math.min(between - before, clock.monotonic() - between)).toBeGreaterThanOrEqual(envelope(1).length * 10)
  })

  it('[MB14] when nothing may pass mail is neither taken nor said to be none; who waits for it waits as long as always', async () => {
    const [sender, owner] = [await open('a sender'), await open('the owner')]
    const [token = NONE] = await tokens(1)
    await deposit(sender, envelope(1), token)
    await ask(owner, { kind: 'open', rights: [right(owner, 1)] })
    pace = () => Number.POSITIVE_INFINITY
    expect(await deposit(sender, envelope(2))).toEqual(refused('full'))
    const before = clock.monotonic()
    expect(await ask(owner, { ...all, waitMs: 5_000 })).toEqual(refused('full'))
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(5_000)
    pace = () => 0
    expect(await ask(owner, all)).toMatchObject({ items: [{ envelope: envelope(1) }] })
  })

  it('[MB19] one machine does not fill a mailbox, however many tokens it has', async () => {
    limits.maxBytes = 100_000
    const paid = await tokens(4)
    const replies: (string | undefined)[] = []
    for (const [box, token] of paid.entries()) {
      const link = await open(`sender ${box}`)
      for (let number = 0; number < 20; number += 1) {
        const reply = await deposit(link, envelope(number, { box, size: 1_000 }), number === 0 ? token : NONE)
        replies.push(reply?.kind === 'refused' ? reply.why : reply?.kind)
      }
    }
    expect(replies.filter((each) => each === 'stored').length).toBeLessThan(45)
    expect(replies).toContain('full')
    await clock.advance(86_400_000)
    expect((await deposit(await open('sender 0'), envelope(99, { box: 0, hours: 48 })))?.kind).toBe('stored')
  })

  it('[MB6] what has expired, or is dated beyond a month, is not taken', async () => {
    const link = await open('a sender')
    const [token = NONE] = await tokens(1)
    for (const hours of [-1, 0, 32 * 24, 24 * 365]) expect(await deposit(link, envelope(1, { hours }), token)).toEqual(refused('expired'))
    // Of a sender whose clock is a day ahead.
    for (const hours of [30 * 24, 31 * 24 + 1]) expect((await deposit(link, envelope(hours, { hours }), token))?.kind).toBe('stored')
  })

  it('[MB4] tokens are for members, so many a day', async () => {
    const link = await open()
    const order = () => plainTokens.order(random, { issuer: relay, key: link.tokenKey, count: 16 })
    for (let had = 0; had < TOKENS_PER_DAY; had += 16)
      expect((await ask(link, { kind: 'tokens', blinded: order().blinded }))?.kind).toBe('issued')
    expect(await ask(link, { kind: 'tokens', blinded: order().blinded })).toEqual(refused('quota'))
    member = () => false
    expect(await ask(link, { kind: 'tokens', blinded: order().blinded })).toEqual(refused('no-member'))
    const stranger = await open('somebody')
    member = (peer) => peer === self
    expect(await ask(stranger, { kind: 'tokens', blinded: order().blinded })).toEqual(refused('no-member'))
  })

  it('[MB9] whoever sends rubbish is refused, then cut off; the others go on', async () => {
    const [bad, good] = [await open('bad'), await open('good')]
    const [token = NONE] = await tokens(1)
    const forged = token.slice()
    forged[140] = (forged[140] ?? 0) ^ 1
    for (let number = 0; number < 20 && !bad.closed; number += 1) {
      const reply = await deposit(bad, envelope(number), forged)
      if (reply !== undefined) expect(reply).toEqual(refused('token-refused'))
    }
    expect(bad.closed).toBe(true)
    expect((await deposit(good, envelope(1), token))?.kind).toBe('stored')
  })

  const waiting = { ...all, waitMs: 40_000 }
  const share = (bound: Partial<ShareBounds>): ShareBounds => ({ connection: 100, address: 100, network: 100, total: 100, ...bound })

  it('[MB14] one address has so many streams and no more; another is served, and who goes makes room', async () => {
    bounds = { ...bounds, streams: share({ address: 2 }) }
    owner = self
    const [first] = [await open('a'), await open('b')]
    await expect(open('c')).rejects.toThrow('the relay is away')
    expect([bounded, service.use().streams]).toEqual([['mail-streams'], 2])
    expect((await open()).closed).toBe(false)
    first.close()
    await quiet()
    expect((await open('d')).closed).toBe(false)
  })

  it('[MB14] an address, and all together, watch so many tags; those are watched on, and end with their streams', async () => {
    bounds = { ...bounds, tags: share({ address: 2, total: 3 }) }
    owner = self
    const [cafe, home] = [await open('a'), await open()]
    expect(await ask(cafe, { kind: 'open', rights: [1, 2, 3].map((number) => right(cafe, number)) })).toEqual(refused('full'))
    expect(await ask(cafe, { kind: 'open', rights: [1, 2].map((number) => right(cafe, number)) })).toEqual({ kind: 'done' })
    expect(await ask(home, { kind: 'open', rights: [right(home, 4)] })).toEqual({ kind: 'done' })
    expect(await ask(home, { kind: 'open', rights: [right(home, 5)] })).toEqual(refused('full'))
    expect([service.use().tags, bounded]).toEqual([3, ['mail-tags', 'mail-tags']])
    const [token = NONE] = await tokens(1)
    const came = cafe.ask(waiting, 40_000)
    await deposit(home, envelope(1, { box: 2 }), token)
    expect(await done(came)).toMatchObject({ items: [{ envelope: envelope(1, { box: 2 }) }] })
    cafe.close()
    await quiet()
    expect(service.use().tags).toBe(1)
  })

  it('[MB14] of many fetches on one stream one waits: the others are answered, and hold nothing', async () => {
    const looks: number[] = []
    const look = store.fetch.bind(store)
    store.fetch = async (query) => {
      looks.push(query.tags.length)
      return look(query)
    }
    const link = await open('a')
    await ask(link, { kind: 'open', rights: [right(link, 1)] })
    const many = Array.from({ length: 300 }, () => link.ask(waiting, 40_000))
    const before = clock.monotonic()
    for (const each of many.slice(0, -1)) expect(await done(each, 1)).toEqual({ kind: 'batch', items: [] })
    expect(clock.monotonic() - before).toBeLessThan(1_000)
    expect(service.use().bytes).toBe(0)
    const [token = NONE] = await tokens(1)
    await deposit(await open('b'), envelope(1), token)
    expect(await done(many.at(-1) ?? Promise.reject(new Error()))).toMatchObject({ items: [{ cursor: 1 }] })
  })

  it('[MB14, RL21] who asks and does not read is closed, and counted; what was on its way for it is given back', async () => {
    const over = Promise.withResolvers<boolean>()
    const channel: Channel = {
      peer: self,
      send: () => over.promise,
      frames: async function* () {
        yield encodeMailboxRequest(1, all)
        await over.promise
      },
      close: () => over.resolve(false),
    }
    const served = service.serve(channel)
    await settle()
    expect(service.use()).toEqual({ streams: 1, tags: 0, bytes: expect.any(Number) })
    expect(service.use().bytes).toBeGreaterThan(60_000)
    await done(served, 1_000)
    await settle()
    expect(service.use()).toEqual({ streams: 0, tags: 0, bytes: 0 })
    expect(offences).toEqual(['unread'])
  })

  it('[MB14] an address that asks for more work than it may waits; another does not', async () => {
    const pace = new WorkPace(clock)
    const [cafe, home] = [
      { connection: 'a', address: 'cafe' },
      { connection: 'b', address: 'home' },
    ]
    expect(await pace.charge(cafe, 16_384)).toBe(true)
    const before = clock.monotonic()
    const slow = pace.charge({ ...cafe, connection: 'c' }, 3_000)
    expect(await pace.charge(home, 16_384)).toBe(true)
    expect(await done(slow, 100)).toBe(false)
    expect(clock.monotonic() - before).toBeGreaterThanOrEqual(3_000)
    await clock.advance(20_000)
    expect(await pace.charge(cafe, 16_384)).toBe(true)
  })

  it('[MB9, RL21] random frames are refused, counted, and change nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 400 }), async (bytes) => {
        const opened = network.openRelayLink(self, URL, { protocol: MAILBOX_PROTOCOL, disguise: 'noise' })
        if (opened.kind !== 'open') throw new Error('the relay is away')
        await opened.channel.send(bytes)
        do await settle()
        while (network.pump())
        opened.channel.close()
        expect(await store.totals()).toEqual({ envelopes: 0, bytes: 0 })
      }),
      { numRuns: 200 },
    )
    expect(offences.length).toBeGreaterThan(100)
    expect(new Set(offences)).toEqual(new Set(['malformed']))
    expect(hex.encode(tagOf(1))).toHaveLength(32)
  })
})
