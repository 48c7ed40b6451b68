import { VirtualClock } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import { defaultRoute } from './default-route.ts'
import { watchNetwork } from './network-watch.ts'

const address = (text: string) => ({ address: text, netmask: '', family: 'IPv4' as const, mac: '', internal: false, cidr: null })

function setUp() {
  const clock = new VirtualClock()
  const stopping = new AbortController()
  const changes: [string[], boolean][] = []
  const sameWays: boolean[] = []
  let now = ['192.168.1.20', '127.0.0.1']
  let way = 'eth0 0101A8C0'
  const route = async () => way
  const interfaces = () => {
    if (now.length === 0) throw new Error('uv_interface_addresses failed')
    return { eth0: now.map(address) }
  }
  const running = watchNetwork(
    { clock, signal: stopping.signal, up: () => clock.monotonic(), interfaces, route, source: async () => now[0] ?? '' },
    ({ present, hasLost, isSameWay }) => void (changes.push([[...present], hasLost]), sameWays.push(isSameWay)),
  )
  return {
    clock,
    changes,
    sameWays,
    become: (addresses: string[]) => (now = addresses),
    reroute: (other: string) => (way = other),
    stop: () => (stopping.abort(), running),
  }
}

describe('network watch', () => {
  it('[PT9] tells of an address that has gone or come within half a second, and of nothing else', async () => {
    const { clock, changes, become, stop } = setUp()
    await clock.advance(10_000)
    become(['127.0.0.1', '192.168.1.20'])
    await clock.advance(10_000)
    expect(changes).toEqual([])
    become(['127.0.0.1'])
    await clock.advance(500)
    become(['127.0.0.1', '10.0.0.7'])
    await clock.advance(500)
    expect(changes).toEqual([
      [['127.0.0.1'], true],
      [['127.0.0.1', '10.0.0.7'], false],
    ])
    await stop()
  })

  it('[PT9] goes on with what it knew while the system does not say', async () => {
    const { clock, changes, become, stop } = setUp()
    await clock.advance(1_000)
    become([])
    await clock.advance(1_000)
    become(['10.0.0.7'])
    await clock.advance(500)
    expect(changes).toEqual([[['10.0.0.7'], true]])
    await stop()
  })

  it('[PT9] tells of another way out on the same addresses', async () => {
    const { clock, changes, reroute, stop } = setUp()
    await clock.advance(2_000)
    reroute('eth0 FE01A8C0')
    await clock.advance(2_000)
    expect(changes).toEqual([[['192.168.1.20', '127.0.0.1'], false]])
    await stop()
  })

  it('[PT9] tells whether the way out is the same, and the address on it', async () => {
    const { clock, sameWays, become, reroute, stop } = setUp()
    const veth = '172.17.0.1'
    for (const addresses of [['192.168.1.20', veth], ['192.168.1.20'], ['192.168.1.21']]) {
      await clock.advance(1_000)
      become(addresses)
    }
    await clock.advance(1_000)
    reroute('eth1 FE01A8C0')
    await clock.advance(1_000)
    expect(sameWays).toEqual([true, true, false, false])
    // Nor is there one where nothing leads out: all that there is may hang on what has come.
    become([])
    reroute('')
    await clock.advance(1_000)
    sameWays.splice(0)
    reroute(' ')
    await clock.advance(500)
    reroute('')
    await clock.advance(500)
    expect(sameWays).toEqual([false, false])
    await stop()
  })

  it('[PT9] tells of sleep, but not of a timer that load has made late, nor of a clock that is set', async () => {
    const clock = new VirtualClock()
    const slept: number[] = []
    const stopping = new AbortController()
    let asleep = 0
    const up = () => clock.monotonic() + asleep
    const interfaces = () => ({ eth0: [address('192.168.1.20')] })
    const running = watchNetwork(
      { clock, signal: stopping.signal, up, interfaces, route: async () => '', source: async () => '' },
      ({ sleptMs }) => void slept.push(sleptMs),
    )
    await clock.advance(1_000)
    asleep += 3_000
    await clock.advance(1_000)
    expect(slept).toEqual([])
    asleep += 60_000
    await clock.advance(1_000)
    expect(slept).toEqual([60_000])
    for (const ms of [3_600_000, -7_200_000]) {
      clock.jump(ms)
      await clock.advance(1_000)
    }
    expect(slept).toEqual([60_000])
    stopping.abort()
    await running
  })
})

it('[PT9] the way out of this machine is read without a packet, and the same one twice', async () => {
  expect(await defaultRoute()).toBe(await defaultRoute())
})
