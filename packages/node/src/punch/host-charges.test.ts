import { VirtualClock } from '@skein/core/testing'
import { expect, it } from 'vitest'
import { Allowance } from './allowance.ts'
import { HostCharges } from './host-charges.ts'
import { TriedEnough } from './not-now.ts'
import type { Agreement, Offer } from './udp-coordination.ts'

const offer = (host: string, mapping: Offer['mapping']): Offer => ({
  ...{ host, mapping, port: 4_000, step: 1 },
  ...{ nonce: new Uint8Array(16), stun: '', token: new Uint8Array(1) },
})
const between = (host: string, mapping: Offer['mapping'] = 'sequential'): Agreement => ({
  mine: offer('9.9.9.1', mapping),
  theirs: offer(host, mapping),
})
const allowance = (most: number): Allowance => new Allowance(new VirtualClock(), { most, withinMs: 60_000 })

it('[PT8] a host that the other side names in a later round counts as one of the first does', () => {
  const hosts = allowance(2)
  for (let punches = 0; punches < 2; punches += 1) {
    const charges = new HostCharges(hosts)
    for (const host of ['9.9.9.2', '9.9.9.3', '9.9.9.3']) charges.charge(between(host))
  }
  const third = new HostCharges(hosts)
  third.charge(between('9.9.9.4'))
  expect(() => third.requireRoom({ host: '9.9.9.3' })).toThrow(TriedEnough)
  expect(() => third.charge(between('9.9.9.3'))).toThrow(TriedEnough)
  third.charge(between('9.9.9.4'))
})

it('[PT8] where two cannot meet nothing is sent, and nothing counts; nor does a look whether there is room', () => {
  const hosts = allowance(1)
  new HostCharges(hosts).charge(between('9.9.9.2', 'random'))
  new HostCharges(hosts).requireRoom({ host: '9.9.9.2' })
  new HostCharges(hosts).charge(between('9.9.9.2'))
  expect(() => new HostCharges(hosts).charge(between('9.9.9.2'))).toThrow(TriedEnough)
})
