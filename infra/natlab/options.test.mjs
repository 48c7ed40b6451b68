import { describe, expect, it } from 'vitest'
import { allPairs, KINDS } from './kinds.mjs'
import { help, parseOptions, UsageError } from './options.mjs'

const SCENARIOS = ['roam', 'sleep']
const parse = (...args) => parseOptions(args, SCENARIOS)

describe('command line of the laboratory', () => {
  it('has defaults, and no pairs unless they are named', () => {
    expect(parse()).toMatchObject({ pairs: undefined, tries: 3, delay: 10, seed: 1, patience: 12_000, json: false })
  })

  it('takes pairs, all pairs, kinds and a scenario', () => {
    expect(parse('--pairs', 'pub:cone,sym:sym', '--tries', '5', '--json')).toMatchObject({
      pairs: [
        ['pub', 'cone'],
        ['sym', 'sym'],
      ],
      tries: 5,
      json: true,
    })
    expect(parse('--pairs=all').pairs).toHaveLength(105)
    expect(parse('--behaviour', 'all').behaviour).toEqual(Object.keys(KINDS))
    expect(parse('--scenario', 'roam').scenario).toBe('roam')
  })

  it.each([
    ['--pairs', 'pub'],
    ['--pairs', 'pub:moon'],
    ['--pairs', 'pub:constructor'],
    ['--tries', '0'],
    ['--tries', '1.5'],
    ['--delay', '-1'],
    ['--seed', 'x'],
    ['--scenario', 'flood'],
    ['--behaviour', 'pub,,'],
    ['--nothing'],
    ['pub:pub'],
  ])('refuses %s %s with one sentence', (...args) => {
    expect(() => parse(...args.filter((each) => each !== undefined))).toThrow(UsageError)
  })

  it('names every kind in its help', () => {
    const text = help(SCENARIOS)
    for (const name of [...Object.keys(KINDS), ...SCENARIOS]) expect(text).toContain(name)
  })

  it('every unordered pair occurs once', () => {
    const names = allPairs().map((pair) => pair.toSorted().join(':'))
    expect(new Set(names).size).toBe(names.length)
  })
})
