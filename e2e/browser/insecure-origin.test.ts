/** The encryption core in a real browser, on a page as a phone in the LAN gets it: plain http, so without WebCrypto. */
import { expect, it } from 'vitest'
import { bundleEncryptionTests } from './bundle.ts'
import { findChromium, launchChromium, MISSING } from './chromium.ts'
import type { PageReport } from './page-report.ts'
import { reportOf, servePages } from './test-server.ts'

/** A name that is not localhost, whose origin a browser would trust. */
const HOST = 'lan.test'
const WITHIN_MS = 300_000

async function runInPage(): Promise<PageReport> {
  const script = await bundleEncryptionTests()
  await using server = await servePages({ '/tests.js': { type: 'text/javascript', body: script } }, '/tests.js')
  await using browser = await launchChromium([`--host-resolver-rules=MAP ${HOST} 127.0.0.1`])
  // Awaited here: on the way out server and browser are closed.
  return await reportOf(await browser.newPage(), `http://${HOST}:${server.port}/`)
}

const chromiumIsMissing = findChromium() === undefined
if (chromiumIsMissing && !process.env['CI']) process.stderr.write(`\nSKIPPED: the encryption tests in a browser. ${MISSING}\n\n`)

it.skipIf(chromiumIsMissing && !process.env['CI'])(
  'the encryption core passes its tests in Chromium on an insecure origin, without crypto.subtle',
  async () => {
    const { secureContext, subtle, results } = await runInPage()
    expect({ secureContext, subtle }).toEqual({ secureContext: false, subtle: 'undefined' })
    expect(results.filter(({ state }) => state !== 'pass')).toEqual([])
    expect(results.length).toBeGreaterThan(0)
    process.stdout.write(`${results.length} tests passed in Chromium on http://${HOST}\n`)
  },
  WITHIN_MS,
)
