import { expect, it } from 'vitest'
import type { RouteForwardFields } from '../../wire/mesh-route.ts'
import { SharedAir } from './shared-air.ts'

const frame: RouteForwardFields = {
  ...{ kind: 'forward', key: '0'.repeat(16), address: 1, lock: '0'.repeat(32), payload: new Uint8Array() },
  ...{ attempt: 1, hopLimit: 9, flood: true },
}

it('[ME45] a flood that waits goes over no link that is gone meanwhile', () => {
  const air = new SharedAir()
  air.wait(frame, ['x', 'y', 'z'], { now: 0, random: { uniform: () => 0.5, bytes: (length) => new Uint8Array(length) } })
  air.drop('y')
  air.heard(frame.key, 'z')
  expect(air.due(1_000).map(({ links }) => [...links])).toEqual([['x']])
})
