import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCardReply, encodeCardRequest, MAX_CARD_BYTES } from '@skein/core'
import type { CardReplyFrame } from '@skein/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCardDrop, MAX_CARD_STAY_MS, MAX_CARDS_PER_PEER } from './card-drop.ts'
import type { CardDrop } from './card-drop.ts'
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
  open()
})

afterEach(() => {
  store[Symbol.dispose]()
  rmSync(dataDir, { recursive: true })
})

function open(maxTotalBytes?: number): void {
  store = openRelayStore(dataDir)
  drop = createCardDrop(store.database, { now: () => now, ...(maxTotalBytes === undefined ? {} : { maxTotalBytes }) })
}

function reopen(maxTotalBytes?: number): void {
  store[Symbol.dispose]()
  open(maxTotalBytes)
}

const keyOf = (number: number) => new Uint8Array(Buffer.from(String(number).padStart(32, '0')))

function put(
  peer: string,
  number: number,
  { text = 'card', expiresAt = now + HOUR_MS }: { text?: string; expiresAt?: number } = {},
): string {
  const frame = encodeCardRequest({ kind: 'put', key: keyOf(number), value: new Uint8Array(Buffer.from(text)), expiresAt })
  return decodeCardReply(drop.answer(peer, frame)).outcome
}

function get(number: number): CardReplyFrame {
  return decodeCardReply(drop.answer('anyone', encodeCardRequest({ kind: 'get', key: keyOf(number) })))
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

  it('bounds all cards together, expired ones not counted', () => {
    reopen(1_000)
    expect(put('alice', 1, { text: 'x'.repeat(400) })).toBe('ok')
    expect(put('bob', 2, { text: 'x'.repeat(400) })).toBe('full')
    expect(put('alice', 1, { text: 'y'.repeat(500) })).toBe('ok')
    now += HOUR_MS
    expect(put('bob', 2, { text: 'x'.repeat(400) })).toBe('ok')
  })

  it('refuses what is too large, what has expired, and what is no request', () => {
    expect(put('alice', 1, { text: 'x'.repeat(MAX_CARD_BYTES) })).toBe('ok')
    expect(put('alice', 2, { text: 'x'.repeat(MAX_CARD_BYTES + 1) })).toBe('too-large')
    expect(put('alice', 3, { expiresAt: now })).toBe('refused')
    expect(() => drop.answer('alice', new Uint8Array([255, 255, 255]))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('keeps nothing longer than its limit and sweeps what has expired', () => {
    put('alice', 1, { expiresAt: now + 10 * MAX_CARD_STAY_MS })
    expect(drop.count()).toBe(1)
    now += MAX_CARD_STAY_MS
    expect(get(1).outcome).toBe('none')
    drop.sweep()
    expect(store.database.prepare('SELECT count(*) AS n FROM cards').get()).toEqual({ n: 0 })
  })
})
