import { isSkeinError } from '@skein/core'
import { expect, it } from 'vitest'
import { nativePrimitives } from '../platform/primitives.ts'
import { systemRandom } from '../platform/system.ts'
import { RowSeal, SEAL_OVERHEAD } from './row-seal.ts'
import { canary, DEVICE, identity, KEY, prekey } from './store-fixtures.ts'

const sealWith = (key: Uint8Array): RowSeal => new RowSeal(nativePrimitives, systemRandom, key)
const seal = sealWith(KEY)
const oneTime = { id: 0xffffffff, device: DEVICE, secret: canary('one-time', 32), expiresAt: 5 }
const session = { device: DEVICE, version: 3, state: canary('state', 600) }

const REFUSED = expect.toSatisfy((error) => isSkeinError(error, 'STORE_CORRUPT')) as Error

it('[ST20] what was sealed opens as it was', () => {
  expect(seal.openIdentity(seal.sealIdentity(identity()))).toEqual(identity())
  expect(seal.openPrekey(seal.sealPrekey(prekey(5)))).toEqual(prekey(5))
  expect(seal.openOneTimePrekey(seal.sealOneTimePrekey(oneTime))).toEqual(oneTime)
  expect(seal.openSession(seal.sealSession(session))).toEqual(session)
  expect(seal.openInvite(seal.sealInvite(canary('invite', 16)))).toEqual(canary('invite', 16))
  const contact = { account: 'a', pendingInvite: 'http://relay/#ünsaid' }
  expect(seal.openContact(seal.sealContact(contact))).toEqual(contact)
  expect(seal.sealContact({ account: 'a', pendingInvite: '' }).pendingInvite).toBe('')
})

it('[ST20] the same state is never sealed to the same bytes, the same invite always is', () => {
  expect(seal.sealSession(session).state).not.toEqual(seal.sealSession(session).state)
  expect(seal.sealSession(session).state.length).toBe(session.state.length + SEAL_OVERHEAD)
  expect(seal.sealInvite(canary('invite', 16))).toEqual(seal.sealInvite(canary('invite', 16)))
  expect(seal.sealInvite(canary('invite', 16))).not.toEqual(seal.sealInvite(canary('other', 16)))
})

it('[ST21] nothing opens in another row, column, table or version', () => {
  const sealed = seal.sealSession(session)
  expect(() => seal.openSession({ ...sealed, version: 4 })).toThrow(REFUSED)
  expect(() => seal.openSession({ ...sealed, device: `${DEVICE}x` as typeof DEVICE })).toThrow(REFUSED)
  expect(() => seal.openPrekey({ ...seal.sealPrekey(prekey(5)), id: 6 })).toThrow(REFUSED)
  expect(() => seal.openOneTimePrekey({ ...seal.sealOneTimePrekey(oneTime), id: 1 })).toThrow(REFUSED)
  const own = seal.sealIdentity(identity())
  expect(() => seal.openIdentity({ ...own, accountSeed: own.deviceSeed })).toThrow(REFUSED)
  expect(() => seal.openIdentity({ ...own, dhSecret: seal.sealPrekey(prekey(1)).secret })).toThrow(REFUSED)
  expect(() => seal.openInvite(own.dhSecret)).toThrow(REFUSED)
  const invite = seal.sealContact({ account: 'a', pendingInvite: 'x' })
  expect(() => seal.openContact({ ...invite, account: 'b' })).toThrow(REFUSED)
})

it('[ST21] one changed bit anywhere, a missing end or another key, and it does not open', () => {
  const sealed = seal.sealSession({ ...session, state: canary('short', 8) })
  for (let at = 0; at < sealed.state.length; at += 1) {
    const state = sealed.state.slice()
    state[at] = (state[at] ?? 0) ^ 1
    expect(() => seal.openSession({ ...sealed, state })).toThrow(REFUSED)
  }
  expect(() => seal.openSession({ ...sealed, state: sealed.state.subarray(0, -1) })).toThrow(REFUSED)
  expect(() => seal.openSession({ ...sealed, state: new Uint8Array() })).toThrow(REFUSED)
  expect(() => sealWith(canary('other', 32)).openSession(sealed)).toThrow(REFUSED)
  expect(() => sealWith(KEY.subarray(1))).toThrow(REFUSED)
})
