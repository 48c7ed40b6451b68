import { describe, expect, it } from 'vitest'
import { countOf } from './mesh-count.mjs'

const out = ['a', 'b', 'c'].map((text, at) => ({ id: `id ${at}`, text, created_at: at }))
const into = out.map(({ id, text, created_at: at }) => ({ id, text, received_at: at * 10 + 5 }))

describe('what came of messages', () => {
  it('all once', () => {
    expect(countOf(out, into)).toEqual({ sent: 3, delivered: 3, doubled: 0, unsent: 0, gap: 10, latencies: [5, 14, 23] })
  })

  it('one lost', () => {
    expect(countOf(out, into.slice(1))).toMatchObject({ sent: 3, delivered: 2, doubled: 0, unsent: 0 })
  })

  it('one sealed anew under another id, and both arrived', () => {
    expect(countOf(out, [...into, { id: 'id 9', text: 'b', received_at: 90 }])).toMatchObject({ delivered: 3, doubled: 1, unsent: 1 })
  })

  it('nothing at all', () => {
    expect(countOf([], [])).toMatchObject({ sent: 0, delivered: 0, doubled: 0, unsent: 0, gap: null })
  })
})
