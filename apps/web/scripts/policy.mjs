// The content security policy of the export: whoever serves it sends what `content-security-policy.txt` holds.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Scripts that stand in a page; blocks of data are none. */
const INLINE = /<script(?![^>]*\ssrc=)(?![^>]*type="application\/json")[^>]*>([\s\S]*?)<\/script>/g

const hashOf = (code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`

/** Hashes of the scripts that Next.js writes into the pages, each once. */
export function inlineHashes(pages) {
  return [...new Set(pages.flatMap((html) => [...html.matchAll(INLINE)].map(([, code]) => hashOf(code))))].sort()
}

export function policyFor(pages) {
  return [
    "default-src 'none'",
    // SQLite is WebAssembly.
    ["script-src 'self' 'wasm-unsafe-eval'", ...inlineHashes(pages)].join(' '),
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
}

export function writePolicy(out) {
  const files = readdirSync(out, { recursive: true }).filter((name) => name.endsWith('.html'))
  const pages = files.map((name) => readFileSync(join(out, name), 'utf8'))
  writeFileSync(join(out, 'content-security-policy.txt'), `${policyFor(pages)}\n`)
}
