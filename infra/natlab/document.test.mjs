import { describe, expect, it } from 'vitest'
import { randomText, seeded, shuffled } from './chance.mjs'
import { compare } from './conversation.mjs'
import { nameMapping } from './behaviour.mjs'
import { gridTable, pairTable, percentiles, summarise } from './document.mjs'

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
    })
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
      summarise(['fw', 'fw'], [good(5, { direct: true })]),
    ]
    expect(gridTable(lines).split('\n')).toEqual([
      '|  | pub | fw |',
      '| --- | --- | --- |',
      '| **pub** | 0/1 300 | 1 lost 0/1 |',
      '| **fw** |  | 1/1 5 |',
    ])
  })
})

describe('what both histories say', () => {
  const at = (id, received_at) => ({ id, received_at })

  it('counts lost, doubled and the longest gap by id', () => {
    const sent = ['1', '2', '3', '4'].map((id) => ({ id }))
    expect(compare(sent, [at('1', 100), at('3', 900), at('2', 150), at('3', 950)])).toEqual({ sent: 4, delivered: 3, doubled: 1, gap: 750 })
  })

  it('has no gap where nothing or one message arrived', () => {
    expect(compare([], [])).toEqual({ sent: 0, delivered: 0, doubled: 0, gap: 0 })
    expect(compare([{ id: '1' }], [at('1', 5)]).gap).toBe(0)
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
