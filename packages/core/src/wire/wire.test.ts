import { hex } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSkeinError } from '../errors/index.ts'
import { accountIdFromDigest, messageIdFromBytes } from '../ids.ts'
import { encode } from './codec.ts'
import { Content } from './gen/skein_pb.ts'
import * as wire from './index.ts'

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const instant = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const id = bytes(16).map(messageIdFromBytes)
const signed = fc.record({ statement: fc.uint8Array({ maxLength: 200 }), signature: bytes(64) })
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

const DECODERS = {
  card: wire.decodeContactCard,
  record: wire.decodeAccountRecord,
  list: wire.decodeDeviceList,
  contact: wire.decodeContactFrame,
  deliver: wire.decodeDeliverFrame,
  content: wire.decodeContent,
  presence: wire.decodePresence,
  presenceFrame: wire.decodePresenceFrame,
  signed: wire.decodeSigned,
  cardRequest: wire.decodeCardRequest,
  cardReply: wire.decodeCardReply,
  prekeyBundle: wire.decodePrekeyBundle,
  ratchetHeader: wire.decodeRatchetHeader,
  sessionMessage: wire.decodeSessionMessage,
  payload: wire.decodePayload,
  envelope: wire.decodeEnvelope,
  envelopeContent: wire.decodeEnvelopeContent,
  handover: wire.decodeHandover,
  inviteCard: wire.decodeInviteCard,
}

describe('golden bytes', () => {
  it('a delivery: id, sequence number, sealed bytes', () => {
    const frame = wire.encodeDelivery({ id: messageIdFromBytes(filled(16, 0xab)), seq: 300, sealed: Uint8Array.of(1, 2) })
    expect(hex.encode(frame)).toBe(`0a19${'0a10'}${'ab'.repeat(16)}${'10ac02'}${'1a020102'}`)
  })
  it('an acknowledgement of one message', () => {
    expect(hex.encode(wire.encodeAcknowledgement([messageIdFromBytes(filled(16, 0xcd))]))).toBe(`12120a10${'cd'.repeat(16)}`)
  })
  it('a text with its stamps', () => {
    expect(
      hex.encode(
        wire.encodeContent({
          id: messageIdFromBytes(filled(16, 9)),
          hlcMs: 1,
          hlcCounter: 2,
          createdAt: 3,
          body: { kind: 'text', text: 'hi' },
        }),
      ),
    ).toBe(`080110021803${'22040a026869'}3210${'09'.repeat(16)}`)
  })
  it('an envelope, a session message and its header', () => {
    const envelope = { deliveryTag: filled(16, 1), expiryHour: 500_000, prekeyId: 9, sealed: Uint8Array.of(5) }
    expect(hex.encode(wire.encodeEnvelope(envelope))).toBe(`08011210${'01'.repeat(16)}18a0c21e20092a0105`)
    const header = { session: 0x01020304, ratchetKey: filled(32, 2), previous: 1, number: 300, random: filled(16, 3) }
    expect(hex.encode(wire.encodeRatchetHeader(header))).toBe(`0d04030201${'1220'}${'02'.repeat(32)}180120ac022a10${'03'.repeat(16)}`)
    const message = { header: Uint8Array.of(1), headerTag: filled(8, 4), ciphertext: Uint8Array.of(2), first: undefined }
    expect(hex.encode(wire.encodeSessionMessage(message))).toBe(`0a0101${'1208'}${'04'.repeat(8)}1a0102`)
  })
  it('a request for a card', () => {
    expect(hex.encode(wire.encodeCardRequest({ kind: 'get', key: filled(32, 7) }))).toBe(`12220a20${'07'.repeat(32)}`)
  })
})

describe('what is encoded is decoded', () => {
  it('deliveries and acknowledgements', () => {
    fc.assert(
      fc.property(id, instant, fc.uint8Array({ maxLength: 500 }), (message, seq, sealed) => {
        expect(wire.decodeDeliverFrame(wire.encodeDelivery({ id: message, seq, sealed }))).toEqual({
          kind: 'delivery',
          id: message,
          seq,
          sealed,
        })
        expect(wire.decodeDeliverFrame(wire.encodeAcknowledgement([message, message]))).toEqual({
          kind: 'acknowledgement',
          ids: [message, message],
        })
      }),
    )
  })
  it('contents', () => {
    fc.assert(
      fc.property(
        instant,
        fc.integer({ min: 0, max: 0xffff }),
        instant,
        fc.oneof(
          fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'grapheme', maxLength: 200 }) }),
          fc.constant({ kind: 'reset' as const }),
          fc.record({
            kind: fc.constant('text' as const),
            text: fc.string(),
            replyTo: id,
            disappearAfter: fc.integer({ min: 1, max: wire.MAX_DISAPPEAR_S }),
          }),
          fc.record({ kind: fc.constant('reaction' as const), target: id, emoji: fc.string({ unit: 'grapheme', maxLength: 1 }) }),
          fc.record({ kind: fc.constant('edit' as const), target: id, text: fc.string() }),
          fc.record({ kind: fc.constant('deletion' as const), target: id }),
          fc.record({
            kind: fc.constant('contact' as const),
            account: fc.constant(accountIdFromDigest(filled(32, 4))),
            name: fc.string({ maxLength: 30 }),
          }),
          fc.record({ kind: fc.constant('timer' as const), after: fc.integer({ min: 0, max: wire.MAX_DISAPPEAR_S }) }),
        ),
        (hlcMs, hlcCounter, createdAt, body) => {
          const content = { id: messageIdFromBytes(filled(16, 1)), hlcMs, hlcCounter, createdAt, body }
          expect(wire.decodeContent(wire.encodeContent(content))).toEqual(content)
        },
      ),
    )
  })
  it('contact frames and invite cards, with what is handed over and without', () => {
    const oneTime = fc.option(fc.record({ id: fc.integer({ min: 1, max: 0xffffffff }), key: bytes(32) }), { nil: undefined })
    const deliveryTags = fc.integer({ min: 0, max: wire.MAX_TAGS }).map((days) => filled(days * 16, 7))
    const handover = fc.option(fc.record({ firstDay: fc.nat(100_000), deliveryTags, oneTime }), { nil: undefined })
    const proof = fc.oneof(bytes(32), bytes(0))
    fc.assert(
      fc.property(signed, handover, proof, fc.boolean(), (card, handed, proven, accepted) => {
        const common = { card, proof: proven, handover: handed }
        for (const frame of [
          { ...common, kind: 'answer', accepted },
          { ...common, kind: 'introduction', inviteHash: proven },
        ] as const)
          expect(wire.decodeContactFrame(wire.encodeContactFrame(frame))).toEqual(frame)
        expect(wire.decodeInviteCard(wire.encodeInviteCard({ card, handover: handed }))).toEqual({ card, handover: handed })
        if (handed !== undefined && (handed.firstDay > 0 || handed.deliveryTags.length > 0 || handed.oneTime !== undefined))
          expect(wire.decodeHandover(wire.encodeHandover(handed))).toEqual(handed)
      }),
    )
  })
  it('presence frames', () => {
    fc.assert(
      fc.property(
        signed,
        bytes(32),
        fc.array(fc.record({ signed, age: fc.integer({ min: 0, max: 60_000 }) }), { maxLength: 5 }),
        (own, to, heard) => {
          for (const frame of [
            { kind: 'presence', own },
            { kind: 'refresh', own, heard },
            { kind: 'welcome', own, to, heard },
          ] as const) {
            expect(wire.decodePresenceFrame(wire.encodePresenceFrame(frame))).toMatchObject({
              kind: frame.kind,
              own: { signature: own.signature },
            })
          }
        },
      ),
    )
  })
})

describe('hostile bytes', () => {
  for (const [name, decode] of Object.entries(DECODERS)) {
    it(`[WF1] ${name}: random and truncated bytes give a code, never a crash`, () => {
      const outcome = (input: Uint8Array): string => {
        try {
          decode(input)
          return 'decoded'
        } catch (error) {
          return isSkeinError(error) ? error.code : `crashed: ${String(error)}`
        }
      }
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
          expect(['decoded', 'BAD_FRAME']).toContain(outcome(input))
        }),
        { numRuns: 300 },
      )
      expect(outcome(new Uint8Array(wire.MAX_FRAME_BYTES + 1))).toBe('FRAME_TOO_LARGE')
    })
  }

  it('[WF1] a stray end of a group, field 0, text that is no UTF-8, and a number above 2^53 - 1 are refused', () => {
    const card = wire.encodeCardReply({ outcome: 'ok', value: Uint8Array.of(1) })
    expect(wire.decodeCardReply(card).outcome).toBe('ok')
    const delivery = (seq: string) => hex.decode(`0a${(20 + seq.length / 2).toString(16)}0a10${'ab'.repeat(16)}10${seq}1a00`)
    expect(wire.decodeDeliverFrame(delivery('ffffffffffffff0f'))).toMatchObject({ seq: Number.MAX_SAFE_INTEGER })
    const presence = { deviceKey: filled(32, 1), accountDigest: filled(32, 1), networkId: filled(32, 1), at: 1, lease: 0 }
    const name = (text: string) => wire.encodePresence({ ...presence, name: text })
    for (const read of [
      () => wire.decodeCardReply(Uint8Array.of(...card, 0x0c)),
      () => wire.decodeCardReply(Uint8Array.of(...card, 0x00, 0x00)),
      () => wire.decodeDeliverFrame(delivery('8080808080808010')),
      () => wire.decodeDeliverFrame(delivery('ffffffffffffffffff01')),
      () => wire.decodePresence(Uint8Array.of(...name('').slice(), 0x2a, 0x01, 0xff)),
    ])
      expect(read).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    expect(wire.decodePresence(name('é')).name).toBe('é')
  })

  it('[WF2] a text over the limit is refused where it is written', () => {
    const text = 'é'.repeat(wire.MAX_TEXT_BYTES / 2)
    const content = (body: string) =>
      ({ id: messageIdFromBytes(filled(16, 1)), hlcMs: 1, hlcCounter: 0, createdAt: 1, body: { kind: 'text', text: body } }) as const
    expect(wire.decodeContent(wire.encodeContent(content(text))).body).toEqual({ kind: 'text', text })
    expect(() => wire.encodeContent(content(`${text}!`))).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
  })

  it('[WF12] a reaction, a time or a name of a shared contact over its limit is refused where it is written and where it is read', () => {
    const head = { id: messageIdFromBytes(filled(16, 1)), hlcMs: 1, hlcCounter: 0, createdAt: 1 }
    const target = messageIdFromBytes(filled(16, 2))
    const account = accountIdFromDigest(filled(32, 4))
    const bodies = [
      { kind: 'reaction', target, emoji: 'x'.repeat(wire.MAX_EMOJI_BYTES + 1) },
      { kind: 'timer', after: wire.MAX_DISAPPEAR_S + 1 },
      { kind: 'text', text: 'a', disappearAfter: wire.MAX_DISAPPEAR_S + 1 },
      { kind: 'contact', account, name: 'x'.repeat(wire.MAX_NAME_CHARS + 1) },
    ] as const
    for (const body of bodies) expect(() => wire.encodeContent({ ...head, body })).toThrow(expect.objectContaining({ code: 'USAGE' }))
    const raw = (kind: Content['kind']) => encode(Content, { id: filled(16, 1), hlcMs: 1, hlcCounter: 0, createdAt: 1, kind })
    const hostile: readonly Content['kind'][] = [
      { $case: 'reaction', value: { target: filled(16, 2), emoji: 'x'.repeat(wire.MAX_EMOJI_BYTES + 1) } },
      { $case: 'reaction', value: { target: filled(15, 2), emoji: 'x' } },
      { $case: 'timer', value: { after: wire.MAX_DISAPPEAR_S + 1 } },
      { $case: 'contact', value: { accountDigest: filled(31, 4), name: 'x' } },
      { $case: 'text', value: { body: 'a', replyTo: filled(3, 1), disappearAfter: 0 } },
    ]
    for (const kind of hostile) expect(() => wire.decodeContent(raw(kind))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })
  it('[WF3] too long a name, too many devices or relays, or a relay that is no URL are refused', () => {
    const entry = { deviceKey: filled(32, 1), dhKey: filled(32, 2), dhCertificate: filled(64, 3) }
    const list = (count: number) =>
      wire.decodeDeviceList(wire.encodeDeviceList({ accountKey: filled(32, 4), version: 1, devices: Array(count).fill(entry) }))
    expect(list(wire.MAX_DEVICES).devices).toHaveLength(wire.MAX_DEVICES)
    for (const count of [0, wire.MAX_DEVICES + 1]) expect(() => list(count)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    const card = {
      deviceList: { statement: filled(1, 1), signature: filled(64, 1) },
      name: 'ana',
      relays: ['https://relay.test'],
      mailboxes: ['https://mail.test'],
      issuedAt: 1,
      deviceKey: filled(32, 1),
      bundle: { statement: filled(1, 2), signature: filled(64, 2) },
    }
    expect(wire.decodeContactCard(wire.encodeContactCard(card))).toEqual({ ...card, bundles: [] })
    const bad = [
      { name: 'x'.repeat(65) },
      { relays: Array(9).fill('https://r.test') },
      { relays: ['javascript:alert(1)'] },
      { relays: [`https://${'x'.repeat(120)}`] },
    ]
    for (const change of bad)
      expect(() => wire.decodeContactCard(wire.encodeContactCard({ ...card, ...change }))).toThrow(
        expect.objectContaining({ code: 'BAD_FRAME' }),
      )
  })

  it('[WF4] [WF5] lists over their limit are refused', () => {
    const ids = Array(wire.MAX_ACKNOWLEDGED + 1).fill(messageIdFromBytes(filled(16, 1)))
    expect(() => wire.decodeDeliverFrame(wire.encodeAcknowledgement(ids))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
    const own = { statement: filled(1, 1), signature: filled(64, 1) }
    const heard = Array(wire.MAX_HEARD + 1).fill({ signed: own, age: 1 })
    expect(() => wire.decodePresenceFrame(wire.encodePresenceFrame({ kind: 'refresh', own, heard }))).toThrow(
      expect.objectContaining({ code: 'BAD_FRAME' }),
    )
  })

  it('[WF8] what is sealed has one form: another encoding of the same fields is refused', () => {
    const message = { header: Uint8Array.of(1), headerTag: filled(8, 4), ciphertext: Uint8Array.of(2), first: undefined }
    const bytes = wire.encodeSessionMessage(message)
    expect(wire.decodeSessionMessage(bytes)).toEqual(message)
    const longer = Uint8Array.of(0x0a, 0x81, 0x00, ...bytes.slice(2))
    const unknown = Uint8Array.of(...bytes, 0x78, 0x01)
    const twice = Uint8Array.of(...bytes, ...bytes)
    for (const other of [longer, unknown, twice])
      expect(() => wire.decodeSessionMessage(other)).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[WF9] delivery tags of another length or for too many days, and half a one-time prekey, are refused', () => {
    const handover = { firstDay: 1, deliveryTags: filled(32, 1), oneTime: { id: 5, key: filled(32, 2) } }
    expect(wire.decodeHandover(wire.encodeHandover(handover))).toEqual(handover)
    const bad = [
      { deliveryTags: filled(17, 1) },
      { deliveryTags: filled((wire.MAX_TAGS + 1) * 16, 1) },
      { oneTime: { id: 5, key: filled(31, 2) } },
      { oneTime: { id: 0, key: filled(32, 2) } },
      { oneTime: { id: 5, key: new Uint8Array() } },
    ]
    for (const change of bad)
      expect(() => wire.decodeHandover(wire.encodeHandover({ ...handover, ...change }))).toThrow(
        expect.objectContaining({ code: 'BAD_FRAME' }),
      )
  })

  it('[WF6] a card over the limit is refused', () => {
    const put = (size: number) =>
      wire.decodeCardRequest(wire.encodeCardRequest({ kind: 'put', key: filled(32, 1), value: new Uint8Array(size), expiresAt: 1 }))
    expect(put(wire.MAX_CARD_BYTES).kind).toBe('put')
    expect(() => put(wire.MAX_CARD_BYTES + 1)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }))
  })
})
