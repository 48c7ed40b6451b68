import { describe, expect, it } from 'vitest'
import { KINDS } from './kinds.mjs'
import { natlab, whyNot } from './natlab-process.mjs'

const OPEN = { udp_mapping: 'kept', udp_filtering: 'open', tcp_mapping: 'kept', tcp_ports: [80, 443, 4001], ipv6: 'none' }
const HOME = { ...OPEN, udp_filtering: 'strict', punch_udp: true, punch_tcp: true }
const NO_WAY = { punch_udp: false, punch_tcp: false }
const RANDOM = { ...HOME, ...NO_WAY, udp_mapping: 'random', tcp_mapping: 'random' }
const NO_UDP = { ...HOME, udp_mapping: 'blocked', udp_filtering: 'blocked', punch_udp: false }

/** What a host of each kind finds out, and whether two of them can punch with nothing but their addresses outside. */
const EXPECTED = {
  // A public host answers the other one's SYN with a reset.
  pub: { ...OPEN, punch_udp: true, punch_tcp: false, seen_as: '73.10.1.20' },
  fw: { ...HOME, seen_as: '73.10.2.20' },
  cone: { ...HOME, udp_filtering: 'open' },
  prc: HOME,
  sym: RANDOM,
  symseq: { ...RANDOM, udp_mapping: 'sequential', tcp_mapping: 'sequential' },
  cgn: HOME,
  cgnsym: RANDOM,
  noudp: NO_UDP,
  web: { ...NO_UDP, ...NO_WAY, tcp_mapping: 'blocked', tcp_ports: [80, 443] },
  // Two in one home have one outside address, and home routers here do not hairpin.
  lan: { ...HOME, ...NO_WAY },
  hairpin: HOME,
  nohairpin: { ...HOME, ...NO_WAY },
  v6: { ...HOME, ipv6: 'firewalled' },
}

const unavailable = await whyNot({ delay: 0 })

describe.skipIf(unavailable)('kinds of network', () => {
  // Each in a sandbox of its own, side by side: they wait for silence most of the time.
  it.concurrent.each(Object.keys(KINDS))('%s behaves as its name says', async (kind) => {
    const { kinds } = await natlab('--behaviour', kind, '--delay', '0')
    expect(kinds).toHaveLength(1)
    expect(kinds[0]).toMatchObject(EXPECTED[kind])
  })
})
