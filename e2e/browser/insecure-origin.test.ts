/** The encryption core in a real browser, on a page as a phone in the LAN gets it: plain http, so without WebCrypto. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { bundleTests } from './bundle.ts'
import { findChromium, launchChromium, MISSING } from './chromium.ts'
import type { PageReport } from './page-report.ts'

/** A name that is not localhost, whose origin a browser would trust. */
const HOST = 'lan.test'
const WITHIN_MS = 300_000

async function serve(script: Uint8Array): Promise<{ readonly port: number; readonly [Symbol.asyncDispose]: () => Promise<void> }> {
  const server = createServer(({ url }, response) => {
    const isScript = url === '/tests.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html; charset=utf-8')
    response.end(isScript ? script : '<!doctype html><script type="module" src="/tests.js"></script>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function runInPage(): Promise<PageReport> {
  await using server = await serve(await bundleTests())
  await using browser = await launchChromium([`--host-resolver-rules=MAP ${HOST} 127.0.0.1`])
  const page = await browser.newPage()
  await page.goto(`http://${HOST}:${server.port}/`)
  // Awaited here: on the way out the browser is closed.
  return await page.evaluate(() => (globalThis as unknown as { skeinReport: Promise<PageReport> }).skeinReport)
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
