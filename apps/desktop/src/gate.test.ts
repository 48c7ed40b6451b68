import { expect, it } from 'vitest'
import { Gate } from './gate.ts'

it('[DW2] links that nobody has used in time are forgotten, the others are good', () => {
  let now = 0
  const gate = new Gate(() => now)
  for (let made = 0; made < 100; made += 1) gate.makeLink()
  now = 100_000
  const used = gate.makeLink()
  now = 121_000
  gate.makeLink()
  expect(gate.linkCount).toBe(2)
  expect(gate.enter(used)).toBeDefined()
  expect(gate.linkCount).toBe(1)
})
