import { describe, expect, it } from 'vitest'
import { defaultRoutes4, defaultRoutes6 } from './default-route.ts'

const FOUR = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
`
const NOWHERE = '0'.repeat(32)
const ROUTER = 'fe800000000000000000000000000001'
const OTHER_ROUTER = 'fe800000000000000000000000000002'
const six = (gateway: string, { interfaceName = 'eth0', used = '00000000', prefix = '00' } = {}): string =>
  `${NOWHERE} ${prefix} ${NOWHERE} 00 ${gateway} 00000400 00000001 ${used} 00000003 ${interfaceName.padStart(8)}`

describe('the way out', () => {
  it('[PT9] of IPv4 is interface and gateway of the default routes', () => {
    expect(defaultRoutes4(FOUR)).toEqual(['eth0 0101A8C0'])
    expect(defaultRoutes4('')).toEqual([])
  })

  it('[PT9] of IPv6 changes with the router, and with nothing that happens by itself', () => {
    const routes = (...lines: string[]): string => defaultRoutes6(`${lines.join('\n')}\n`).join()
    const before = routes(six(ROUTER), six(NOWHERE, { interfaceName: 'lo' }), six(ROUTER, { prefix: '40' }))
    expect(before).toBe(`eth0 ${ROUTER} 00000400`)
    expect(routes(six(ROUTER, { used: '000000ff' }))).toBe(before)
    expect(routes(six(OTHER_ROUTER))).not.toBe(before)
    expect(routes(six(OTHER_ROUTER), six(ROUTER))).toBe(routes(six(ROUTER), six(OTHER_ROUTER)))
    expect(routes(six(NOWHERE, { interfaceName: 'lo' }))).toBe('')
  })
})
