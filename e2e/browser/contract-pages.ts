/** What a page needs to run the contracts of ports (port-contracts.ts). */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundleWorker } from '../../tools/browser-bundle.mjs'
import { bundleTests } from './bundle.ts'
import { launchChromium } from './chromium.ts'
import type { PageReport } from './page-report.ts'
import { reportOf, type ServedFile, servePages } from './test-server.ts'

/** A name that is not localhost, whose origin a browser would trust. */
const INSECURE = 'lan.test'

export interface Asked {
  readonly secure: boolean
  readonly ports: readonly ('platform' | 'storage' | 'network')[]
  /** URL of a relay, for the network. */
  readonly relay?: string
  /** Pattern of the names of tests; all of them when it is left out. */
  readonly only?: string
}

/** Runs the contracts in one page after the other. */
export async function runContracts(pages: readonly Asked[]): Promise<readonly PageReport[]> {
  await using server = await servePages(await served(), '/tests.js')
  await using browser = await launchChromium([`--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`])
  const reports: PageReport[] = []
  for (const { secure, ports, relay = '', only } of pages) {
    const query = new URLSearchParams([['relay', relay], ...ports.map((each) => ['ports', each])])
    if (only !== undefined) query.set('only', only)
    const url = `http://${secure ? 'localhost' : INSECURE}:${server.port}/?${query}`
    reports.push(await reportOf(await browser.newPage(), url))
  }
  return reports
}

async function served(): Promise<Readonly<Record<string, ServedFile>>> {
  const folder = mkdtempSync(join(tmpdir(), 'skein-contracts-'))
  const script = await bundleTests(['./e2e/browser/port-contracts.ts'])
  await bundleWorker(folder)
  const files = {
    '/tests.js': { type: 'text/javascript', body: script },
    '/store-worker.js': { type: 'text/javascript', body: readFileSync(join(folder, 'store-worker.js')) },
    '/file-worker.js': { type: 'text/javascript', body: readFileSync(join(folder, 'file-worker.js')) },
    '/sqlite3.wasm': { type: 'application/wasm', body: readFileSync(join(folder, 'sqlite3.wasm')) },
  }
  rmSync(folder, { recursive: true })
  return files
}
