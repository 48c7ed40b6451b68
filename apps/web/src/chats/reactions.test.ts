import { expect, it } from 'vitest'
import { reactionsFor } from './reactions.ts'

it('[UI29] a reaction that was set elsewhere can be taken back, whatever it is', () => {
  const usual = reactionsFor(null)
  expect(reactionsFor(usual[2] ?? '')).toEqual(usual)
  expect(reactionsFor('🦆')).toEqual([...usual, '🦆'])
})
