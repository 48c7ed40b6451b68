import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { accountDigest, deviceIdFromKey, deviceKey, parseDeviceId } from '../ids.ts'
import { bundleFor } from '../testing/bundles.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { encodeSigned, sign } from '../wire/signed.ts'
import * as identity from './index.ts'

const random = seededRandom(1)
const make = () => identity.openIdentity(primitives, identity.makeIdentity(random, 1))
const [ana, bo] = [make(), make()]
const bundle = bundleFor(ana)
const code = (wanted: string) => expect.objectContaining({ code: wanted })
const HOUR = 3_600_000

describe('keys and lists', () => {
  it('[ID4] a device id is the peer id of its key, and nothing else passes for one', () => {
    expect(parseDeviceId(ana.device)).toBe(ana.device)
    expect(deviceKey(deviceIdFromKey(ana.deviceKey))).toEqual(ana.deviceKey)
    for (const text of ['', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG', `${ana.device}x`, ana.device.slice(1)])
      expect(() => parseDeviceId(text)).toThrow(code('BAD_FRAME'))
  })

  it('[ID5] a device list is signed by its account and certifies each device', () => {
    const seed = random.bytes(32)
    const entry = identity.certifyDevice(primitives, random.bytes(32), primitives.x25519PublicKey(random.bytes(32)))
    const signed = identity.signDeviceList(primitives, { accountSeed: seed, version: 3, devices: [entry] })
    expect(identity.openDeviceList(primitives, signed)).toMatchObject({
      version: 3,
      account: identity.accountIdOf(primitives, primitives.ed25519PublicKey(seed)),
    })
    const foreign = identity.signDeviceList(primitives, { accountSeed: seed, version: 3, devices: [{ ...entry, dhKey: random.bytes(32) }] })
    expect(() => identity.openDeviceList(primitives, foreign)).toThrow(code('BAD_SIGNATURE'))
    expect(() => identity.openDeviceList(primitives, { ...signed, signature: random.bytes(64) })).toThrow(code('BAD_SIGNATURE'))
  })

  it('[ID6] an older list of the same account is refused, and one of the same version with other content', () => {
    const { list } = identity.openContactCard(primitives, ana.signCard({ name: '', relays: [], issuedAt: 1, bundle }))
    const rekeyed = list.devices.map((entry) => ({ ...entry, dhKey: random.bytes(32) }))
    const strange = list.devices.map((entry) => ({ ...entry, device: bo.device }))
    expect(() => identity.refuseRollBack({ ...list, version: list.version + 1 }, list)).toThrow(code('DEVICE_LIST_ROLLED_BACK'))
    expect(() => identity.refuseRollBack(list, list)).not.toThrow()
    for (const devices of [[], rekeyed, [...list.devices, ...strange]]) {
      expect(() => identity.refuseRollBack({ version: list.version, devices }, list)).toThrow(code('DEVICE_LIST_FORKED'))
      expect(() => identity.refuseRollBack({ version: list.version - 1, devices }, list)).not.toThrow()
    }
  })
})

describe('cards and records', () => {
  it('[ID7] a card says what was signed, and any changed byte is noticed', () => {
    const signed = ana.signCard({ name: 'Ana', relays: ['https://relay.test'], issuedAt: 5, bundle })
    expect(identity.openContactCard(primitives, signed)).toMatchObject({
      name: 'Ana',
      relays: ['https://relay.test'],
      issuedAt: 5,
      list: { account: ana.account },
    })
    fc.assert(
      fc.property(fc.nat(signed.statement.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const statement = signed.statement.map((byte, index) => (index === at ? byte ^ flip : byte))
        expect(() => identity.openContactCard(primitives, { ...signed, statement })).toThrow()
      }),
      { numRuns: 30 },
    )
  })

  it('[ID8] a signature for one kind of statement is worth nothing for another', () => {
    const { statement } = ana.signCard({ name: '', relays: [], issuedAt: 1, bundle })
    const other = sign(primitives, 'skein account record v1', { statement, seed: ana.deviceSeed })
    expect(() => identity.openContactCard(primitives, other)).toThrow(code('BAD_SIGNATURE'))
  })

  it('[ID9] a record stands only under the account that signed it; the newer one wins', () => {
    const [older, newer] = [1, 2].map((issuedAt) => encodeSigned(ana.signRecord({ relays: [], issuedAt, bundle })))
    if (older === undefined || newer === undefined) throw new Error('no records')
    expect(identity.verifyRecord(primitives, accountDigest(ana.account), newer)).toBe(true)
    expect(identity.verifyRecord(primitives, accountDigest(bo.account), newer)).toBe(false)
    expect(identity.verifyRecord(primitives, accountDigest(ana.account), newer.slice(0, -1))).toBe(false)
    expect([identity.isNewerRecord(primitives, newer, older), identity.isNewerRecord(primitives, older, newer)]).toEqual([true, false])
  })

  it('[WF6] a record larger than its limit stands nowhere, whoever signed it', () => {
    const { statement } = ana.signRecord({ relays: [], issuedAt: 1, bundle })
    // Field 15, which this version does not know: a later one may add fields, but not size.
    const grown = (bytes: number): Uint8Array =>
      encodeSigned(
        sign(primitives, 'skein account record v1', {
          statement: Uint8Array.from([...statement, 0x7a, (bytes & 0x7f) | 0x80, bytes >> 7, ...new Uint8Array(bytes)]),
          seed: ana.deviceSeed,
        }),
      )
    expect(identity.verifyRecord(primitives, accountDigest(ana.account), grown(200))).toBe(true)
    expect(identity.verifyRecord(primitives, accountDigest(ana.account), grown(4_000))).toBe(false)
  })

  it('[ID10] both sides see the same 60 digits, others see different ones', () => {
    const number = identity.safetyNumber(primitives, ana.accountKey, bo.accountKey)
    expect(number).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(identity.safetyNumber(primitives, bo.accountKey, ana.accountKey)).toBe(number)
    expect(identity.safetyNumber(primitives, ana.accountKey, ana.deviceKey)).not.toBe(number)
  })
})

describe('invites', () => {
  const now = 1_800_000_000_000
  const invite = {
    account: ana.account,
    secret: random.bytes(16),
    expiresAt: identity.inviteExpiry(now),
    relay: 'https://relay.example.org',
  }
  const text = identity.formatInvite(primitives, invite)

  it('[IN1] an invite fits 200 characters and says what was put in, with and without a relay', () => {
    expect(text.length).toBeLessThanOrEqual(identity.MAX_INVITE_CHARS)
    expect(identity.parseInvite(primitives, ` ${text}\n`, now)).toEqual(invite)
    const bare = identity.formatInvite(primitives, { ...invite, relay: null })
    expect(bare).toMatch(/^skein:#/)
    expect(identity.parseInvite(primitives, bare, now)).toEqual({ ...invite, relay: null })
  })

  it('[IN1] what is no invite, damaged, or of another version is told apart', () => {
    for (const other of ['', 'hello', 'https://relay.example.org', 'ftp://x/#abc', `${text}${'x'.repeat(200)}`]) {
      expect(() => identity.parseInvite(primitives, other, now)).toThrow(code('INVITE_NOT_ONE'))
    }
    for (const other of [
      text.slice(0, -1),
      text.slice(0, -8),
      `${text}A`,
      text.replace(/.(?=.{5}$)/, (last) => (last === 'A' ? 'B' : 'A')),
    ]) {
      expect(() => identity.parseInvite(primitives, other, now)).toThrow(code('INVITE_DAMAGED'))
    }
    expect(() => identity.parseInvite(primitives, text.replace(/#A./, '#Ag'), now)).toThrow(code('INVITE_VERSION'))
  })

  it('[IN3] it is good for seven days, to the hour', () => {
    expect(invite.expiresAt - now).toBeGreaterThanOrEqual(identity.INVITE_LIFETIME_MS)
    expect(invite.expiresAt - now).toBeLessThan(identity.INVITE_LIFETIME_MS + HOUR)
    expect(() => identity.parseInvite(primitives, text, invite.expiresAt)).toThrow(code('INVITE_EXPIRED'))
    expect(identity.parseInvite(primitives, text, invite.expiresAt - 1).account).toBe(ana.account)
  })

  it('[IN6] a proof holds for one prover and one verifier; a card opens only under its secret', () => {
    const proof = (prover: Uint8Array, verifier: Uint8Array) => identity.inviteProof(primitives, invite.secret, { prover, verifier })
    expect(proof(bo.deviceKey, ana.deviceKey)).not.toEqual(proof(ana.deviceKey, bo.deviceKey))
    const sealed = identity.sealInviteCard(primitives, Uint8Array.of(1, 2, 3), { secret: invite.secret, salt: random.bytes(16) })
    expect(identity.openInviteCard(primitives, sealed, invite.secret)).toEqual(Uint8Array.of(1, 2, 3))
    expect(() => identity.openInviteCard(primitives, sealed, random.bytes(16))).toThrow(code('INVITE_FORGED'))
    expect(() => identity.openInviteCard(primitives, sealed.slice(0, 20), invite.secret)).toThrow(code('INVITE_FORGED'))
  })
})
