import { expect, it } from 'vitest'
import { SettledTime } from './settled-time.ts'

const HOUR_MS = 3_600_000
const TODAY = 1_800_000_000_000
const YEAR_MS = 365 * 24 * HOUR_MS

function machine() {
  const state = { monotonic: 5_000, ahead: 0 }
  const time = new SettledTime({ now: () => TODAY + state.monotonic + state.ahead, monotonic: () => state.monotonic })
  const run = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += 60_000) {
      state.monotonic += 60_000
      time.look()
    }
  }
  return { state, time, run, day: () => TODAY + state.monotonic }
}

it('[RL24] nothing has surely passed in the first hour, everything after it', () => {
  const { time, run, day } = machine()
  run(HOUR_MS - 60_000)
  expect(time.past()).toBe(0)
  run(60_000)
  expect(time.past()).toBe(day())
})

it('[RL24] a clock that is a year ahead for less than an hour, at the start or later, settles nothing', () => {
  const { state, time, run, day } = machine()
  run(2 * HOUR_MS)
  state.ahead = YEAR_MS
  run(HOUR_MS - 60_000)
  expect(time.past()).toBe(day())
  state.ahead = 0
  run(60_000)
  expect(time.past()).toBe(day())
})

it('[RL24] a clock that was behind, or was set right an hour ago, is believed', () => {
  const { state, time, run, day } = machine()
  run(2 * HOUR_MS)
  state.ahead = -YEAR_MS
  run(60_000)
  expect(time.past()).toBe(day() - YEAR_MS)
  state.ahead = 0
  run(HOUR_MS)
  expect(time.past()).toBe(day() - YEAR_MS)
  run(60_000)
  expect(time.past()).toBe(day())
})

it('tells by how much the clock has been set', () => {
  const { state, time } = machine()
  expect(time.look()).toBe(0)
  state.ahead = 90_000
  time.past()
  expect([time.look(), time.look()]).toEqual([90_000, 0])
})
