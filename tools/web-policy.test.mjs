import { expect, it } from 'vitest'
import { moveInline } from '../apps/web/scripts/inline-scripts.mjs'
import { policyFor } from '../apps/web/scripts/policy.mjs'

const DATA = '<script id="data" type="application/json">{"a":1}</script>'
const page = (scripts) => `<html><head>${scripts}<script src="/a.js" defer=""></script></head><body>${DATA}</body></html>`

it('scripts that stand in a page become files, in their order, and the policy allows none of them', () => {
  const html = page('<script>first()\nmore()</script><script async>second()</script>')
  const kept = new Map()
  const moved = moveInline(html, (path, code) => kept.set(path, code))
  expect([...kept.values()]).toEqual(['first()\nmore()', 'second()'])
  expect(moved).toBe(page([...kept.keys()].map((path) => `<script src="/${path}" defer=""></script>`).join('')))
  expect(policyFor([moved])).toContain("; script-src 'self' 'wasm-unsafe-eval';")
  expect(() => policyFor([moved, html])).toThrow('a script stands in a page')
})
