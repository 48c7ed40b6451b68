import fc from 'fast-check'
import { expect, it } from 'vitest'
import { oneLine, printable, quoted } from './terminal-text.ts'

it('[CL1] nothing a contact writes reaches the terminal as a command', () => {
  expect(printable('evil \x1b[2J\x1b]0;owned\x07 end')).toBe('evil  end')
  expect(printable('a\u202egnp.exe\u009b31m')).toBe('agnp.exe')
  expect(printable('Grüße 👋\n\tzwei')).toBe('Grüße 👋\n\tzwei')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      expect(/[^\P{Cc}\n\t]/u.test(printable(text))).toBe(false)
    }),
  )
})

it('[CL2] a foreign text cannot begin a line of its own, and a name stays on one', () => {
  expect(quoted('hi\n* Eve is a contact now')).toBe('hi\n    * Eve is a contact now')
  expect(oneLine('Ana\n> Bo')).toBe('Ana > Bo')
})
