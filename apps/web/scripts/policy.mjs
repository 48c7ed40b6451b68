// The content security policy of the export: whoever serves it sends what `content-security-policy.txt` holds.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasInline } from './inline-scripts.mjs'

const POLICY = [
  "default-src 'none'",
  // SQLite is WebAssembly.
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "media-src 'self' blob:",
  // Relays and devices are anywhere.
  "connect-src 'self' http: https: ws: wss:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ')

/** @throws Error for pages that would not run under it */
export function policyFor(pages) {
  if (pages.some(hasInline)) throw new Error('a script stands in a page')
  return POLICY
}

/** @param pages as of `moveInlineScripts` */
export function writePolicy(out, pages) {
  const policy = policyFor(pages.map((name) => readFileSync(join(out, name), 'utf8')))
  writeFileSync(join(out, 'content-security-policy.txt'), `${policy}\n`)
}
