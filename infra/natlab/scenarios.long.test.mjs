// What happens to a network in mid-conversation, on real clients: minutes in all.
import { describe, expect, it } from 'vitest'
import { natlab, whyNot } from './natlab-process.mjs'

const unavailable = await whyNot({ delay: 10 })
/** Each with what it has to show beside that nothing is lost or doubled. */
const SCENARIOS = {
  'relay-restart': ({ reserved_again_ms }) => expect(reserved_again_ms).not.toBeNull(),
  // Every message went over the relay that was drained, and each side heard of the other again.
  'relay-drain': ({ path, circuits, not_healed }) => expect([path, circuits > 0, not_healed]).toEqual(['relayed', true, 0]),
  'relay-kill': ({ healed_ms }) => expect(healed_ms).not.toBeNull(),
  roam: ({ not_healed }) => expect(not_healed).toBe(0),
  reroute: ({ not_healed }) => expect(not_healed).toBe(0),
  'uplink-flap': ({ not_healed }) => expect(not_healed).toBe(0),
  // A window of 4 MiB each time something breaks.
  'file-roam': ({ whole, moved_twice }) => expect([whole, moved_twice < 0.05 + (3 * 4_194_304) / 24_000_000]).toEqual([true, true]),
  sleep: ({ healed_ms }) => expect(healed_ms).not.toBeNull(),
  'udp-dies': ({ healed_ms }) => expect(healed_ms).not.toBeNull(),
  // The local network is used again once it is back, and not only some way without a relay.
  'two-interfaces': ({ lan_again_ms, relayed_before }) => expect([lan_again_ms === null, relayed_before]).toEqual([false, false]),
}

/** Clients are started in three networks, one after the other. */
const THREE_NETWORKS_MS = 480_000

describe.skipIf(unavailable)('in mid-conversation', () => {
  it.each(Object.entries(SCENARIOS))('%s: nothing is lost, nothing is doubled, and it goes on', async (scenario, shows) => {
    const document = await natlab('--scenario', scenario, '--tries', '2')
    expect(document).toMatchObject({ lost: 0, doubled: 0 })
    expect(document.delivered).toBe(document.sent)
    shows(document)
  })
})

describe.skipIf(unavailable)('without any relay', () => {
  it('[LD9] [LD10] contacts on one switch meet without router, default route or relay, unless they keep off the network', {
    timeout: THREE_NETWORKS_MS,
  }, async () => {
    const met = await natlab('--scenario', 'lan-no-route')
    expect(met).toMatchObject({ lost: 0, doubled: 0, path: 'lan', seen_without_lan: false })
    expect(met.delivered).toBe(met.sent)
    expect(met.delivered).toBeGreaterThan(10)
    // By link-local IPv6, all that discovery uses of it; an address that comes beside it takes nothing away.
    expect(met.link_local).toMatchObject({ path: 'lan', transport: 'tcp', kept: true, off_link_refused: true })
  })
})
