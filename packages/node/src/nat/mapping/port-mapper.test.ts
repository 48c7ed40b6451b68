import { VirtualClock } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../swarm/test-network.ts'
import { type PortMapping, PortMapper } from './port-mapper.ts'
import type { MappingTarget, MappingWay, OutsidePort } from './way.ts'

/** A router that answers as it is told; what was asked of it is kept. */
class Router implements MappingWay {
  readonly name = 'pcp'
  answer: OutsidePort | undefined | Error = { host: '73.10.1.20', port: 4_010, lifetimeS: 7_200 }
  asked = 0
  readonly givenBack: number[] = []

  async map(): Promise<OutsidePort | undefined> {
    this.asked += 1
    if (this.answer instanceof Error) throw this.answer
    return this.answer
  }

  async unmap(_target: MappingTarget, { port }: OutsidePort): Promise<void> {
    this.givenBack.push(port)
  }
}

class Home {
  readonly clock = new VirtualClock()
  readonly router = new Router()
  readonly announced: (PortMapping | undefined)[] = []
  readonly stopping = new AbortController()
  readonly mapper: PortMapper
  readonly done: Promise<void>

  constructor({ own = [], hasRouter = true }: { readonly own?: readonly string[]; readonly hasRouter?: boolean } = {}) {
    this.mapper = new PortMapper({
      clock: this.clock,
      logger: silentLogger,
      ways: [this.router],
      wayOut: async () => (hasRouter ? { gateway: '192.168.1.1', host: '192.168.1.20' } : undefined),
      port: () => 4_010,
      ownPublicHosts: () => own,
      onMapping: (mapping) => this.announced.push(mapping),
    })
    this.done = this.mapper.run(this.stopping.signal)
  }

  pass(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }
}

describe('port mapper', () => {
  it('[PM4] says that there is no router where there is none, and asks nobody', async () => {
    const home = new Home({ hasRouter: false })
    await home.pass(0)
    expect([home.mapper.state(), home.router.asked, home.announced]).toEqual([{ kind: 'no-router' }, 0, []])
    home.stopping.abort()
    await home.done
  })

  it('[PM4] a port is announced, renewed after half its time, and given back at the end', async () => {
    const home = new Home()
    await home.pass(0)
    expect(home.announced).toMatchObject([{ host: '73.10.1.20', port: 4_010, by: 'pcp', internalPort: 4_010 }])
    await home.pass(3_599_000)
    expect(home.router.asked).toBe(1)
    await home.pass(2_000)
    expect(home.router.asked).toBe(2)
    expect(home.announced).toHaveLength(1)
    home.stopping.abort()
    await home.pass(1_000)
    await home.done
    expect(home.router.givenBack).toEqual([4_010])
  })

  it('[PM5] behind another NAT nothing is announced, and the port is given back at once', async () => {
    const home = new Home()
    home.router.answer = { host: '100.64.1.2', port: 4_010, lifetimeS: 7_200 }
    await home.pass(0)
    expect(home.announced).toEqual([])
    expect(home.router.givenBack).toEqual([4_010])
    expect(home.mapper.state()).toEqual({ kind: 'nested' })
    home.stopping.abort()
  })

  it.each([
    ['no address', 'router.local', 4_010],
    ['the short form of one', '73.1', 4_010],
    ['a path', '73.10.1.20/tcp/1', 4_010],
    ['port 0', '73.10.1.20', 0],
    ['a broadcast address', '255.255.255.255', 4_010],
  ])('[PM5] a router that says %s opens nothing', async (_, host, port) => {
    const home = new Home()
    home.router.answer = { host, port, lifetimeS: 7_200 }
    await home.pass(0)
    expect([home.announced, home.mapper.state().kind]).toEqual([[], 'nested'])
    home.stopping.abort()
  })

  it('[PM4] a port that is given for a lifetime is looked after as often as one for two hours', async () => {
    const home = new Home()
    home.router.answer = { host: '73.10.1.20', port: 4_010, lifetimeS: 4_294_967_295 }
    await home.pass(0)
    await home.pass(3_601_000)
    expect(home.router.asked).toBe(2)
    home.stopping.abort()
  })

  it('[PM5] who has a public address asks no router', async () => {
    const home = new Home({ own: ['73.10.1.20'] })
    await home.pass(0)
    expect([home.router.asked, home.mapper.state().kind]).toEqual([0, 'public'])
    home.stopping.abort()
  })

  it('[PM6] a router that is silent or refuses is asked ever more seldom, and at once when the network changes', async () => {
    const home = new Home()
    home.router.answer = undefined
    await home.pass(0)
    await home.pass(20_000)
    await home.pass(120_000)
    home.router.answer = new Error('no')
    await home.pass(120_000)
    expect(home.router.asked).toBe(3)
    home.mapper.renew()
    await home.pass(600)
    expect([home.router.asked, home.mapper.state().kind]).toEqual([4, 'refused'])
    home.stopping.abort()
  })

  it('[PM4] a router that misses a renewal is asked again soon, and its port is announced as long as it holds it', async () => {
    const home = new Home()
    await home.pass(0)
    home.router.answer = undefined
    await home.pass(3_600_000)
    expect([home.router.asked, home.mapper.state().kind, home.announced.length]).toEqual([2, 'mapped', 1])
    await home.pass(20_000)
    expect(home.router.asked).toBe(3)
    await home.pass(7_200_000)
    expect([home.mapper.state().kind, home.announced.at(-1)]).toEqual(['none', undefined])
    home.stopping.abort()
  })

  it('[PM4] a port that the router still holds is given back at the end, though it has missed a renewal', async () => {
    const home = new Home()
    await home.pass(0)
    home.router.answer = undefined
    await home.pass(3_600_000)
    home.stopping.abort()
    await home.pass(1_000)
    await home.done
    expect(home.router.givenBack).toEqual([4_010])
  })

  it('[PM4] what the router has lost is not announced any more', async () => {
    const home = new Home()
    await home.pass(0)
    home.router.answer = undefined
    home.mapper.renew()
    await home.pass(600)
    expect(home.announced.at(-1)).toBeUndefined()
    expect(home.announced).toHaveLength(2)
    home.stopping.abort()
  })
})
