import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noblePrimitives as primitives } from '../e2ee/primitives.ts'
import { certifyDevice, openDeviceList, openIdentity, signDeviceList } from '../identity/index.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import type { DeviceEntryFields } from '../wire/contact.ts'
import { MAX_DEVICES, MAX_REVOKED } from '../wire/limits.ts'
import type { SignedBytes } from '../wire/signed.ts'
import { joinLists, type ListChange, withDevice, withoutDevice } from './device-lists.ts'
import { formatLink, isDeviceLink, linkExpiry, MAX_LINK_CHARS, parseLink } from './link.ts'

const random = seededRandom(7)
const accountSeed = random.bytes(32)
const sign = (change: ListChange): SignedBytes => signDeviceList(primitives, { ...change, accountSeed })
const entries = Array.from({ length: MAX_DEVICES + 1 }, () =>
  certifyDevice(primitives, random.bytes(32), primitives.x25519PublicKey(random.bytes(32))),
)
const entry = (at: number): DeviceEntryFields => {
  const found = entries[at]
  if (found === undefined) throw new Error('no such entry')
  return found
}
const first = sign({ version: 1, devices: [entry(0)] })
const open = (list: SignedBytes) => openDeviceList(primitives, list)
const ids = (list: SignedBytes) => open(list).devices.map(({ device }) => device)
const device = (at: number) => {
  const [only] = ids(sign({ version: 1, devices: [entry(at)] }))
  if (only === undefined) throw new Error('no device')
  return only
}
const code = (wanted: string) => expect.objectContaining({ code: wanted })
const joined = (a: SignedBytes, b: SignedBytes): SignedBytes => {
  const made = joinLists(a, b)
  return made === 'mine' ? a : made === 'theirs' ? b : sign(made)
}

describe('the list', () => {
  it('[DV1] each change raises the version by one, and an account has at most 16 devices, none twice', () => {
    let list = first
    for (let at = 1; at < MAX_DEVICES; at += 1) list = sign(withDevice(list, entry(at)))
    expect([open(list).version, ids(list).length]).toEqual([MAX_DEVICES, MAX_DEVICES])
    expect(() => withDevice(list, entry(MAX_DEVICES))).toThrow(code('USAGE'))
    expect(ids(sign(withDevice(first, entry(0))))).toHaveLength(1)
    expect(() => withoutDevice(first, device(1))).toThrow(code('DEVICE_UNKNOWN'))
  })

  it('[DV2] a device that was taken out does not come back', () => {
    const two = sign(withDevice(first, entry(1)))
    const one = sign(withoutDevice(two, device(1)))
    expect([open(one).version, ids(one), open(one).revoked]).toEqual([3, [device(0)], [device(1)]])
    expect(() => withDevice(one, entry(1))).toThrow(code('DEVICE_REVOKED'))
    // Not even by a list with a higher version that somebody signs who holds the key.
    const again = sign({ version: 9, devices: [entry(0), entry(1)] })
    expect(ids(joined(one, again))).toEqual([device(0)])
    expect(open(joined(one, again)).version).toBe(10)
  })

  it('[DV3] lists made apart are joined alike by everybody, and what either took out is out', () => {
    const change = fc.record({ add: fc.boolean(), at: fc.integer({ min: 1, max: 5 }) })
    const apply = (list: SignedBytes, { add, at }: { add: boolean; at: number }): SignedBytes => {
      try {
        return sign(add ? withDevice(list, entry(at)) : withoutDevice(list, device(at)))
      } catch {
        return list
      }
    }
    const lists = fc.array(change, { maxLength: 5 }).map((changes) => changes.reduce(apply, sign(withDevice(first, entry(1)))))
    fc.assert(
      fc.property(lists, lists, (a, b) => {
        const [ab, ba] = [joined(a, b), joined(b, a)]
        expect(new Set(ids(ab))).toEqual(new Set(ids(ba)))
        expect(open(ab).version).toBeGreaterThanOrEqual(Math.max(open(a).version, open(b).version))
        for (const out of [...open(a).revoked, ...open(b).revoked]) expect(ids(ab)).not.toContain(out)
        for (const kept of ids(a)) if (![...open(a).revoked, ...open(b).revoked].includes(kept)) expect(ids(ab)).toContain(kept)
        // Whoever hears of it once more has nothing to add.
        expect([joinLists(ab, a), joinLists(ab, b)]).toEqual(['mine', 'mine'])
      }),
      { numRuns: 15 },
    )
  })

  it('[DV4] a restored account begins anew, and old removals are forgotten after 16', () => {
    const five = sign({ version: 5, devices: [entry(0), entry(1)] })
    const restored = sign({ version: 1_000, devices: [entry(2)], since: 1_000 })
    expect([joinLists(five, restored), joinLists(restored, five)]).toEqual(['theirs', 'mine'])
    const many = Array.from({ length: MAX_REVOKED + 3 }, () => random.bytes(32)).map((seed) => primitives.ed25519PublicKey(seed))
    const crowded = { ...withDevice(first, entry(1)), revoked: many.slice(0, MAX_REVOKED) }
    expect(withoutDevice(sign(crowded), device(1)).revoked).toHaveLength(MAX_REVOKED)
  })

  it('[DV3] a list of another account, or one that somebody else signed, is not adopted', () => {
    const stored = { accountSeed, deviceSeed: random.bytes(32), dhSecret: random.bytes(32), createdAt: 1 }
    const identity = openIdentity(primitives, stored)
    const foreign = signDeviceList(primitives, { accountSeed: random.bytes(32), version: 9, devices: [identity.entry] })
    expect(() => identity.adopt(foreign)).toThrow(code('CARD_FORGED'))
    expect(() => identity.adopt({ ...identity.signedList, signature: random.bytes(64) })).toThrow(code('BAD_SIGNATURE'))
    expect(identity.listVersion).toBe(1)
  })
})

describe('the link', () => {
  const now = 1_800_000_000_000
  const link = { host: device(0), secret: random.bytes(16), expiresAt: linkExpiry(now), relay: 'https://relay.example.org' }
  const text = formatLink(primitives, link)

  it('[DV5] says what was put in, with and without a relay, and is refused when it is damaged, another, or over', () => {
    expect(text.length).toBeLessThanOrEqual(MAX_LINK_CHARS)
    expect(parseLink(primitives, ` ${text}\n`, now)).toEqual(link)
    expect(parseLink(primitives, formatLink(primitives, { ...link, relay: null }), now)).toEqual({ ...link, relay: null })
    expect(link.expiresAt - now).toBeLessThanOrEqual(660_000)
    for (const other of ['', 'hello', 'skein:#', `${text}A`, text.slice(0, -4), text.replace('#', '?'), `${text}#x`, 'x'.repeat(300)])
      expect(() => parseLink(primitives, other, now)).toThrow(code('LINK_NOT_ONE'))
    fc.assert(
      fc.property(fc.integer({ min: text.indexOf('#') + 1, max: text.length - 2 }), fc.constantFrom('A', 'z', '-', '7'), (at, letter) => {
        fc.pre(text[at] !== letter)
        expect(() => parseLink(primitives, text.slice(0, at) + letter + text.slice(at + 1), now)).toThrow(code('LINK_NOT_ONE'))
      }),
    )
    expect(() => parseLink(primitives, text, link.expiresAt)).toThrow(code('LINK_EXPIRED'))
    expect([isDeviceLink(text), isDeviceLink('https://relay.example.org/#AQ')]).toEqual([true, false])
  })
})
