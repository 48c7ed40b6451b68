import { describe, expect, it } from 'vitest'
import { Tally } from '../bench/suites/relay/tally.mjs'

describe('numbers of the drain bench', () => {
  it('tell what went again from what was doubled on its way', () => {
    const tally = new Tally()
    for (const number of [1, 2, 2, 3]) tally.onWritten(number)
    expect([1, 2, 2, 3, 3].map((number) => tally.onArrived(number))).toEqual([true, true, false, true, false])
    expect([tally.distinct, tally.again, tally.doubled]).toEqual([3, 2, 1])
  })
})
