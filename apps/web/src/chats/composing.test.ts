import { expect, it } from 'vitest'
import { isComposing } from './composing.ts'

it('a key that confirms a word of a method of input sends nothing, in Safari neither', () => {
  const keys = {
    chromium: { isComposing: true, keyCode: 229 },
    safari: { isComposing: false, keyCode: 229 },
    enter: { isComposing: false, keyCode: 13 },
  }
  expect(Object.values(keys).map(isComposing)).toEqual([true, true, false])
})
