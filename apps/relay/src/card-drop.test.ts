import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCardReply, encodeCardRequest, MAX_CARD_BYTES } from '@skein/core'
import type { CardReplyFrame } from '@skein/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { originOf } from './admission/networks.ts'
import { type CardDrop, MAX_CARD_STAY_MS, MAX_CARDS_PER_PEER, SqliteCardDrop } from './card-drop.ts'
import { openRelayStore } from './relay-store.ts'
import type { RelayStore } from './relay-store.ts'

const START = 1_800_000_000_000
const HOUR_MS = 3_600_000

let dataDir: string
let store: RelayStore
let drop: CardDrop
let now: number

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'skein-card-drop-'))
  now = START
  perAddress = 1_000
  open()
})

afterEach(() => {
  store[Symbol.dispose]()
  rmSync(dataDir, { recursive: true })
})

let perAddress: number

function open(maxTotalBytes?: number): void {
  const bounds = () => ({ address: perAddress, network: 1_000 })
  store = openRelayStore(dataDir)
  drop = new SqliteCardDrop(store.database, { now: () => now, bounds, ...(maxTotalBytes === undefined ? {} : { maxTotalBytes }) })
}

function reopen(maxTotalBytes?: number): void {
  store[Symbol.dispose]()
  open(maxTotalBytes)
}

const keyOf = (number: number) => new Uint8Array(Buffer.from(String(number).padStart(32, '0')))

/** Everybody but Mallory comes from one address and is a member. */
const depositor = (peer: string) => ({
  peer,
  origin: originOf(peer === 'mallory' ? '203.0.113.1' : '198.51.100.1'),
  mayLeave: peer !== 'stranger',
})

function put(
  peer: string,
  number: number,
  { text = 'card', expiresAt = now + HOUR_MS }: { text?: string; expiresAt?: number } = {},
): string {
  const frame = encodeCardRequest({ kind: 'put', key: keyOf(number), value: new Uint8Array(Buffer.from(text)), expiresAt })
  return decodeCardReply(drop.answer(depositor(peer), frame)).outcome
}

function get(number: number): CardReplyFrame {
  return decodeCardReply(drop.answer(depositor('anyone'), encodeCardRequest({ kind: 'get', key: keyOf(number) })))
}

const textOf = (number: number) => Buffer.from(get(number).value).toString()

describe('card drop', () => {
  it('keeps a card for whoever knows its key', () => {
    expect(get(1).outcome).toBe('none')
    expect(put('alice', 1, { text: 'sealed' })).toBe('ok')
    expect(get(1).outcome).toBe('ok')
    expect(textOf(1)).toBe('sealed')
  })

  it('keeps cards, owners and quotas over a restart', () => {
    put('alice', 1, { text: 'sealed' })
    reopen()
    expect(textOf(1)).toBe('sealed')
    expect(put('mallory', 1)).toBe('refused')
    expect(put('alice', 1, { text: 'newer' })).toBe('ok')
  })

  it('[RL32] a card that could not be written counts for nobody', () => {
    perAddress = 1
    store.database.exec("CREATE TRIGGER full BEFORE INSERT ON cards BEGIN SELECT raise(ABORT, 'disk'); END")
    expect(() => put('alice', 1)).toThrow('disk')
    store.database.exec('DROP TRIGGER full')
    expect([put('alice', 2), put('alice', 3)]).toEqual(['ok', 'full'])
  })

  it('belongs to its first depositor until it expires', () => {
    put('alice', 1, { text: 'mine' })
    expect(put('mallory', 1, { text: 'forged' })).toBe('refused')
    expect(textOf(1)).toBe('mine')
    now += HOUR_MS
    expect(get(1).outcome).toBe('none')
    expect(put('mallory', 1)).toBe('ok')
  })

  it('bounds the cards of one depositor; replacing is free, expiry makes room', () => {
    for (let number = 0; number < MAX_CARDS_PER_PEER; number++) expect(put('alice', number)).toBe('ok')
    expect(put('alice', 999)).toBe('full')
    expect(put('alice', 0, { text: 'again' })).toBe('ok')
    expect(put('bob', 999)).toBe('ok')
    now += HOUR_MS
    expect(put('alice', 1_000)).toBe('ok')
  })

  it('bounds all cards together; those that have expired make room', () => {
    reopen(1_000)
    expect(put('alice', 1, { text: 'x'.repeat(400) })).toBe('ok')
    expect(put('bob', 2, { text: 'x'.repeat(400) })).toBe('full')
    expect(put('alice', 1, { text: 'y'.repeat(500) })).toBe('ok')
    now += HOUR_MS
    drop.sweep(now)
    expect(put('bob', 2, { text: 'x'.repeat(400) })).toBe('ok')
  })

  it('refuses what is too large, what has expired, and what is no request', () => {
    expect(put('alice', 1, { text: 'x'.repeat(MAX_CARD_BYTES) })).toBe('ok')
    expect(put('alice', 2, { text: 'x'.repeat(MAX_CARD_BYTES + 1) })).toBe('too-large')
    expect(put('alice', 3, { expiresAt: now })).toBe('refused')
    expect(() => drop.answer(depositor('alice'), new Uint8Array([255, 255, 255]))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[RL32] takes cards from those who belong to the relay alone, and gives them to everybody', () => {
    expect(put('stranger', 1)).toBe('refused')
    expect(put('alice', 1)).toBe('ok')
    expect(get(1).outcome).toBe('ok')
  })

  it('[RL32] bounds the cards of one address, whoever leaves them there; another has its own, and expiry makes room', () => {
    perAddress = 3
    for (const [peer, number] of [
      ['alice', 1],
      ['bob', 2],
      ['carol', 3],
    ] as const)
      expect(put(peer, number)).toBe('ok')
    expect(put('dave', 4)).toBe('full')
    expect(put('alice', 1, { text: 'again', expiresAt: now + 2 * HOUR_MS })).toBe('ok')
    expect(put('mallory', 5)).toBe('ok')
    now += HOUR_MS
    drop.sweep(now)
    expect([put('dave', 4), put('erin', 6), put('frank', 7)]).toEqual(['ok', 'ok', 'full'])
  })

  it('keeps nothing longer than its limit and sweeps what has expired', () => {
    put('alice', 1, { expiresAt: now + 10 * MAX_CARD_STAY_MS })
    expect(drop.count()).toBe(1)
    now += MAX_CARD_STAY_MS
    expect(get(1).outcome).toBe('none')
    drop.sweep(now)
    expect(store.database.prepare('SELECT count(*) AS n FROM cards').get()).toEqual({ n: 0 })
  })

  it('[RL24] what a clock that is wrong takes for expired is there again when it is right, also when it is asked for room', () => {
    reopen(1_000)
    put('alice', 1, { text: 'x'.repeat(400) })
    now += 365 * 24 * HOUR_MS
    reopen(1_000)
    drop.sweep(0)
    expect([get(1).outcome, put('bob', 2, { text: 'x'.repeat(400) })]).toEqual(['none', 'full'])
    now = START
    expect(textOf(1)).toBe('x'.repeat(400))
  })

  it('[RL24] opens on a full disk, with cards that have expired', () => {
    put('alice', 1)
    store.database.exec("CREATE TRIGGER full BEFORE DELETE ON cards BEGIN SELECT raise(ABORT, 'disk'); END")
    now += HOUR_MS
    expect(() => reopen()).not.toThrow()
    expect(drop.count()).toBe(0)
  })
})
