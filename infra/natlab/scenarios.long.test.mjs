// What happens to a network in mid-conversation, on real clients: minutes in all.
import { describe, expect, it } from 'vitest'
import { natlab, whyNot } from './natlab-process.mjs'

const unavailable = await whyNot({ delay: 10 })
/** A machine with a load of 35 has taken five times as long as the README promises for an idle one. */
const TOLERANCE = 10

/** @param {number} target ms */
function expectWithin(target, ms) {
  expect(ms).not.toBeNull()
  expect(ms).toBeLessThan(target * TOLERANCE)
}

/** Each with what it has to show beside that nothing is lost or doubled. */
const SCENARIOS = {
  'relay-restart': ({ reserved_again_ms, healed_ms }) => {
    expectWithin(3_000, reserved_again_ms)
    expectWithin(3_000, healed_ms)
  },
  // Every message went over the relay that was drained, and each side heard of the other again.
  'relay-drain': ({ path, circuits, not_healed }) => expect([path, circuits > 0, not_healed]).toEqual(['relayed', true, 0]),
  'relay-kill': ({ healed_ms }) => expectWithin(5_000, healed_ms),
  roam: healsEachTime(3_000),
  reroute: healsEachTime(5_000),
  'uplink-flap': healsEachTime(5_000),
  // A window of 4 MiB each time something breaks.
  'file-roam': ({ whole, moved_twice, sent_twice }) => {
    expect(whole).toBe(true)
    for (const twice of [moved_twice, sent_twice]) expect(twice).toBeLessThan(0.05 + (3 * 4_194_304) / 24_000_000)
  },
  sleep: ({ healed_ms }) => expectWithin(5_000, healed_ms),
  // Nothing but acknowledgements that do not come, and pings, can tell.
  'udp-dies': ({ transport_before, healed_ms }) => {
    expect(['udp', 'webrtc']).toContain(transport_before)
    expectWithin(5_000, healed_ms)
  },
  // The local network is used again once it is back, and not only some way without a relay.
  'two-interfaces': ({ lan_again_ms, healed_ms, relayed_before }) => {
    expectWithin(5_000, lan_again_ms)
    expectWithin(5_000, healed_ms)
    expect(relayed_before).toBe(false)
  },
}

function healsEachTime(target) {
  return ({ not_healed, healed_ms }) => {
    expect(not_healed).toBe(0)
    expectWithin(target, healed_ms.p95)
  }
}

/** Clients are started in three networks, one after the other. */
const THREE_NETWORKS_MS = 480_000

describe.skipIf(unavailable)('in mid-conversation', () => {
  it.each(Object.entries(SCENARIOS))('%s: nothing is lost, nothing is doubled, and it goes on', async (scenario, shows) => {
    const document = await natlab('--scenario', scenario, '--tries', '2')
    expect(document).toMatchObject({ lost: 0, doubled: 0 })
    expect([document.sent, document.delivered]).toEqual([document.written, document.written])
    shows(document)
  })
})

describe.skipIf(unavailable)('without any relay', () => {
  it('[LD9] [LD10] contacts on one switch meet without router, default route or relay, unless they keep off the network', {
    timeout: THREE_NETWORKS_MS,
  }, async () => {
    const met = await natlab('--scenario', 'lan-no-route')
    expect(met).toMatchObject({ lost: 0, doubled: 0, path: 'lan', seen_without_lan: false })
    expect([met.sent, met.delivered]).toEqual([met.written, met.written])
    expect(met.delivered).toBeGreaterThan(10)
    // By link-local IPv6, all that discovery uses of it; an address that comes beside it takes nothing away.
    for (const each of [met, met.link_local]) {
      expectWithin(2_000, each.seen_ms)
      expectWithin(1_000, each.first_message_ms)
    }
    expect(met.link_local).toMatchObject({ path: 'lan', transport: 'tcp', kept: true, off_link_refused: true })
  })
})
