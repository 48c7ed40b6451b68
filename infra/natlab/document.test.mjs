import { describe, expect, it } from 'vitest'
import { randomText, seeded, shuffled } from './chance.mjs'
import { compare } from './conversation.mjs'
import { nameMapping } from './behaviour.mjs'
import { gridTable, pairTable, percentiles, summarise } from './document.mjs'
import { reasonToSkip } from './natlab-process.mjs'
import { oneTry } from './pair.mjs'

const good = (first, change = {}) => ({ delivered: true, direct: false, path: 'direct', transport: 'tcp', first, ...change })

describe('document of the laboratory', () => {
  it('takes percentiles by nearest rank', () => {
    expect(percentiles(Array.from({ length: 100 }, (_, at) => 100 - at))).toEqual({ p50: 50, p95: 95 })
    expect(percentiles([7])).toEqual({ p50: 7, p95: 7 })
    expect(percentiles([undefined])).toBeNull()
  })

  it('believes the counters, not the client, about direct ways', () => {
    const line = summarise(['pub', 'fw'], [good(300), good(500, { direct: true, directAfter: 900 }), good(400)])
    expect(line).toEqual({
      a: 'pub',
      b: 'fw',
      tries: 3,
      delivered: 3,
      direct: 1,
      path: 'relayed',
      transport: 'tcp',
      first_message_ms: { p50: 400, p95: 500 },
      direct_ms: { p50: 900, p95: 900 },
      claimed: { a: null, b: null },
      reasons: { a: [], b: [] },
      mistaken: 0,
    })
  })

  it('keeps what each client says beside what was counted, why of a try that stayed relayed, and counts those who are wrong', () => {
    const guess = [{ rung: 'udp-punch', outcome: 'failed', detail: 'the ports would have to be guessed' }]
    const claims = (a, b, reasons = []) => ({ claims: { a: { path: a, reasons }, b: { path: b, reasons: [] } } })
    const line = summarise(
      ['sym', 'cgnsym'],
      [
        good(300, { direct: true, ...claims('punched', 'punched') }),
        good(300, claims('relayed', 'relayed', guess)),
        good(300, claims('punched', 'relayed')),
        good(300, claims('relayed', 'direct')),
        good(300, { direct: true, ...claims('punched', 'none') }),
      ],
    )
    expect(line).toMatchObject({ claimed: { a: 'punched', b: 'relayed' }, reasons: { a: guess, b: [] }, mistaken: 3 })
  })

  it('keeps what went wrong', () => {
    const failed = { delivered: false, direct: false, path: 'none', transport: null, error: 'not in time' }
    const line = summarise(['web', 'web'], [failed, failed])
    expect(line).toMatchObject({ tries: 2, delivered: 0, path: 'none', first_message_ms: null, errors: ['not in time', 'not in time'] })
    expect(pairTable([line])).toContain('| web × web | 0/2 | 0/2 | none | – | – |')
  })
})

describe('grid of pairs', () => {
  it('has a row and a column for each kind, and says what was lost', () => {
    const failed = { delivered: false, direct: false, path: 'none', transport: null, error: 'late' }
    const lines = [
      summarise(['pub', 'pub'], [good(300)]),
      summarise(['pub', 'fw'], [failed]),
      summarise(['fw', 'fw'], [good(5, { direct: true, directAfter: 7 })]),
    ]
    expect(gridTable(lines).split('\n')).toEqual([
      '|  | pub | fw |',
      '| --- | --- | --- |',
      '| **pub** | relayed 300 | 1 lost 0/1 |',
      '| **fw** |  | 1/1 5 7 |',
    ])
  })
})

describe('what both histories say', () => {
  const at = (id, text, received_at) => ({ id, text, received_at })

  it('counts lost and doubled by text, and the longest gap: a text that came twice has two ids, and one that was lost may have none', () => {
    const written = ['a 1', 'a 2', 'a 3', 'a 4', 'a 5']
    const sent = written.slice(0, 4).map((text, index) => ({ id: `${index + 1}`, text }))
    const received = [at('1', 'a 1', 100), at('3', 'a 3', 900), at('2', 'a 2', 150), at('9', 'a 3', 950), at('8', 'of before', 800)]
    expect(compare({ written, sent, received })).toEqual({ sent: 4, delivered: 3, lost: 2, doubled: 1, gap: 750 })
  })

  it('has no gap where nothing or one message arrived', () => {
    expect(compare({ written: [], sent: [], received: [] })).toEqual({ sent: 0, delivered: 0, lost: 0, doubled: 0, gap: 0 })
    const sent = [{ id: '1', text: 'a 1' }]
    expect(compare({ written: ['a 1'], sent, received: [at('1', 'a 1', 5)] }).gap).toBe(0)
  })
})

describe('a try that fails', () => {
  it('ends with its own error, whatever those say who watched it', async () => {
    const gone = async () => {
      throw new Error('the client is gone')
    }
    const client = (box, ask) => ({
      box,
      end: async () => {},
      start: async () => {},
      joined: async () => {},
      readyAt: Date.now(),
      way: gone,
      ask,
    })
    const waiting = client('a', async ([command]) => {
      if (command === 'send') return { messages: [{ id: '1' }] }
      throw new Error('not delivered in time')
    })
    await expect(oneTry({}, [waiting, client('b', gone)], { patience: 60_000 })).rejects.toThrow('not delivered in time')
  })
})

describe('tests of the laboratory', () => {
  it('are left out where it cannot run, and nowhere else', () => {
    expect(reasonToSkip(undefined, false)).toBeUndefined()
    expect(reasonToSkip({ code: 'UNAVAILABLE', message: 'no nft' }, false)).toBe('no nft')
    expect(() => reasonToSkip({ code: 'UNAVAILABLE', message: 'no nft' }, true)).toThrow('no nft')
    expect(() => reasonToSkip({ code: 'FAILED', message: 'the relay does not start' }, false)).toThrow('does not start')
  })
})

describe('names of mappings', () => {
  it.each([
    [[5000, 5000, 5000], 'kept'],
    [[6000, 6000, 6000], 'independent'],
    [[30_000, 30_001, 30_003], 'sequential'],
    [[30_000, 45_001, 31_003], 'random'],
    [[5000, undefined, 5000], 'blocked'],
  ])('%j is %s', (ports, name) => expect(nameMapping(ports, 5000)).toBe(name))
})

describe('chance', () => {
  it('repeats itself with the same seed only', () => {
    const draw = (seed) => Array.from({ length: 5 }, seeded(seed))
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(randomText(seeded(3), 1_001)).toHaveLength(1_001)
    expect(shuffled(seeded(4), [1, 2, 3, 4]).toSorted()).toEqual([1, 2, 3, 4])
  })
})
