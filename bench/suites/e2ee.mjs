// The encryption core: message rates next to Olm's WebAssembly, the first flight, the envelope, and what it weighs in a
// bundle. `pure` computes in plain JavaScript as a browser without WebCrypto does, `native` on Node.js's own library.
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { bundleGzipKb } from './e2ee-bundle.mjs'
import { rounded } from './e2ee-median.mjs'

/** In a thread of its own: code that the compiler has seen with two backends is slower than with the one that a device has. */
async function measured(backend) {
  const worker = new Worker(new URL('./e2ee-backend.mjs', import.meta.url), { workerData: { backend } })
  // Both at once: the end may follow the figures before anything here runs again.
  const [[figures]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  return figures
}

// One after the other: side by side they would slow each other down.
const pure = await measured('pure')
const native = await measured('native')
const document = {
  pure,
  native,
  bundle_gzip_kb: rounded(await bundleGzipKb('e2ee/index.ts')),
  // Comes on top where the platform compresses nothing itself, as a page must.
  compression_gzip_kb: rounded(await bundleGzipKb('e2ee/compression.ts')),
}
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(document)}\n` : `${JSON.stringify(document, null, 2)}\n`)
