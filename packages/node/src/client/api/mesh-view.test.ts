import type { Messenger } from '@skein/core'
import { expect, it } from 'vitest'
import type { Client } from '../assemble.ts'
import { meshView } from './mesh-view.ts'

it('[ME34] who is part of no mesh is told why', () => {
  const off = (config: Partial<Client['config']>, pid = 1) =>
    meshView({ messenger: { mesh: undefined } as unknown as Messenger, config: config as Client['config'], pid }).off
  expect([off({ mesh: false }), off({ mesh: true, lan: false, bridge: false }), off({ mesh: true }, 0)]).toEqual([
    'option',
    'no-lan',
    'browser',
  ])
})
