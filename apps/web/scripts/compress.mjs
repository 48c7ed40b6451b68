// Compressed copies beside the files of the export: whoever serves it sends those to browsers that can read them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const TEXT = /\.(html|js|css|svg|wasm|webmanifest)$/
/** Less than this, bytes, fits into one packet either way. */
const LEAST_BYTES = 1_024

export function writeCompressed(out) {
  const files = readdirSync(out, { recursive: true }).filter((name) => TEXT.test(name))
  for (const name of files) {
    const bytes = readFileSync(join(out, name))
    if (bytes.length < LEAST_BYTES) continue
    writeFileSync(join(out, `${name}.br`), brotliCompressSync(bytes))
    writeFileSync(join(out, `${name}.gz`), gzipSync(bytes, { level: 9 }))
  }
}
