// Meshes of real processes that take minutes: squares, nodes that die, cuts, islands, hostile nodes, large messages in pieces, and the
// Network tab in a real Chromium.
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { natlab, whyNot } from './natlab-process.mjs'

const PROGRAMS = [process.env.SKEIN_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const unavailable = await whyNot({ delay: 0 })
const hasBrowser = PROGRAMS.some((path) => path !== undefined && existsSync(path))

describe.skipIf(unavailable)('real clients', () => {
  it.each([
    ['across a square', 'mesh-grid'],
    ['while one node after the other on their way is killed and comes again', 'mesh-churn'],
    ['once the cut between them has healed', 'mesh-partition'],
    ['over bridges between their islands', 'mesh-islands'],
    ['round a black hole, a flooder and a replayer', 'mesh-hostile'],
    ['round one that gives on half, a thief of tags and one that boasts', 'mesh-hostile-2'],
  ])('[ME12] [ME14] [ME20] [ME22] reach each other %s: all arrives, once', async (_, scenario) => {
    const shown = await natlab('--scenario', scenario)
    expect(shown).toMatchObject({ scenario, nodes: 9, lost: 0, doubled: 0, unsent: 0 })
    expect(shown.sent).toBeGreaterThan(10)
    expect(shown.delivered).toBe(shown.sent)
  })
})

describe.skipIf(unavailable)('large messages', () => {
  it('[ME31] [ME32] go in pieces over both ways round a ring, become whole once, and arrive when one way is cut', async () => {
    const shown = await natlab('--scenario', 'mesh-ring')
    expect(shown).toMatchObject({ lost: 0, doubled: 0, unsent: 0 })
    expect(shown.delivered).toBe(shown.sent)
    expect(shown.large.in_pieces).toBeGreaterThan(0)
    expect(shown.large.joined).toBe(shown.large.in_pieces)
    expect(shown.why).toMatch(/2 separate ways/)
  })
})

describe.skipIf(unavailable || !hasBrowser)('the Network tab', () => {
  it('[ME34] shows neighbours, the way to whom they lead to, and what is carried when that way is cut, as it comes and goes', async () => {
    const shown = await natlab('--scenario', 'mesh-window')
    expect(shown).toMatchObject({
      lost: 0,
      doubled: 0,
      unsent: 0,
      got: ['over the one between us', 'carried until you are back', 'over the same one again'],
    })
    const { alone, routed, cut, healed } = shown
    expect(alone.neighbours[0][0]).toMatch(/^Somebody near /)
    expect(routed.routes).toEqual([['n2', alone.neighbours[0][0], '2']])
    // A way over which nothing was proven for a minute is one no longer.
    expect(cut.routes).toEqual([])
    expect(cut.carried).toEqual([['n2', '1', expect.stringMatching(/^\d+ KiB$/), 'Yours']])
    expect(healed).toMatchObject({ carried: [], routes: routed.routes })
    expect([alone, routed, cut, healed].every(({ drawn }) => drawn)).toBe(true)
  })
})
