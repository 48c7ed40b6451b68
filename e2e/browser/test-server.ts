/** Serves a page that runs tests, and gets what it reports. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import type { PageReport } from './page-report.ts'

export interface ServedFile {
  readonly type: string
  readonly body: Uint8Array
}

/** Every path that is no file is a page with `script`. */
export async function servePages(
  files: Readonly<Record<string, ServedFile>>,
  script: string,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const server = createServer(({ url }, response) => {
    const file = files[new URL(url ?? '/', 'http://page').pathname]
    response.setHeader('content-type', file?.type ?? 'text/html; charset=utf-8')
    response.end(file?.body ?? `<!doctype html><script type="module" src="${script}"></script>`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port, [Symbol.asyncDispose]: close }
}

const LOADED_WITHIN_MS = 120_000

/** Opens the page and waits until its tests have run. */
export async function reportOf(page: Page, url: string): Promise<PageReport> {
  // The tests that the page loads keep it from being loaded for as long as they run.
  await page.goto(url, { waitUntil: 'commit' })
  await page.waitForFunction(() => 'skeinReport' in globalThis, undefined, { timeout: LOADED_WITHIN_MS })
  // Awaited here: on the way out the browser is closed.
  return await page.evaluate(() => (globalThis as unknown as { skeinReport: Promise<PageReport> }).skeinReport)
}
