/** Pages in a real Chromium that run a client, for tests: each identity in a browser context of its own. */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { ApiClient } from '../../packages/node/dist/browser.js'
import { bundleWorker, standIns } from '../../tools/browser-bundle.mjs'
import { launchChromium } from './chromium.ts'
import type { TestPage } from './client-page.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.wasm': 'application/wasm' }
/** A name that is not localhost, whose origin a browser would trust. */
const INSECURE = 'lan.test'

export interface Person {
  readonly name: string
  readonly relays: readonly string[]
  /** On an origin without a secure context. */
  readonly insecure?: boolean
}

/** A browser and the server its pages come from. */
export class Pages implements AsyncDisposable {
  private readonly folder: string
  private readonly server: Server
  private readonly browser: Browser

  private constructor(folder: string, server: Server, browser: Browser) {
    this.folder = folder
    this.server = server
    this.browser = browser
  }

  static async open(): Promise<Pages> {
    const folder = mkdtempSync(join(tmpdir(), 'skein-pages-'))
    await Promise.all([bundleWorker(folder), bundlePage(folder)])
    const server = createServer(({ url }, response) => {
      const { pathname } = new URL(url ?? '/', 'http://page')
      const isFile = extname(pathname) in TYPES
      response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/html; charset=utf-8')
      response.end(isFile ? readFileSync(join(folder, pathname)) : '<!doctype html><script type="module" src="/page.js"></script>')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new Pages(folder, server, await launchChromium([`--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`]))
  }

  context(): Promise<BrowserContext> {
    return this.browser.newContext()
  }

  /** Opens a tab for `person` in `context` and waits until it has a client to talk to. */
  async tab(context: BrowserContext, { name, relays, insecure = false }: Person): Promise<PageClient> {
    const { port } = this.server.address() as AddressInfo
    const query = new URLSearchParams([['name', name], ...relays.map((relay) => ['relay', relay])])
    const page = await context.newPage()
    const client = new PageClient(page)
    await page.goto(`http://${insecure ? INSECURE : 'localhost'}:${port}/?${query}`)
    await client.ready()
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function bundlePage(folder: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['e2e/browser/client-page.ts'],
    outfile: join(folder, 'page.js'),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    plugins: [standIns],
    logLevel: 'error',
  })
}

type Inputs = { readonly [Name in keyof ApiClient]: Parameters<ApiClient[Name]>[0] }
type Outputs = { readonly [Name in keyof ApiClient]: Awaited<ReturnType<ApiClient[Name]>> }

/** One tab's client, driven through its API. */
export class PageClient {
  readonly page: Page
  /** What the page wrote to its console, for a test that fails. */
  readonly lines: string[] = []

  constructor(page: Page) {
    this.page = page
    page.on('console', (line) => this.lines.push(line.text()))
    page.on('pageerror', (error) => this.lines.push(String(error)))
  }

  /** Calls the API in the page. @throws Error with the code of what it answers, if that is one of ours */
  async call<Name extends Exclude<keyof ApiClient, 'events'>>(name: Name, input?: Inputs[Name]): Promise<Outputs[Name]> {
    const result = await this.page.evaluate(
      async ([method, given]) => {
        const { skein } = globalThis as unknown as { skein: TestPage }
        const api = (await skein.ready()) as unknown as Record<string, (input: unknown) => Promise<unknown>>
        return api[method as string]?.(given)
      },
      [name, input] as const,
    )
    return result as Outputs[Name]
  }

  async ready(): Promise<void> {
    await this.page.evaluate(async () => void (await (globalThis as unknown as { skein: TestPage }).skein.ready()))
  }

  leads(): Promise<boolean> {
    return this.page.evaluate(() => (globalThis as unknown as { skein: TestPage }).skein.leads())
  }

  failures(): Promise<readonly string[]> {
    return this.page.evaluate(() => (globalThis as unknown as { skein: TestPage }).skein.failures)
  }

  async history(contact: string): Promise<Outputs['history']['messages']> {
    return (await this.call('history', { contact })).messages
  }

  /** Sends and waits for the tick. */
  async send(contact: string, text: string): Promise<Outputs['send']['messages'][number]> {
    const { messages } = await this.call('send', { contacts: [contact], text, wait: 'delivered', timeout_ms: 20_000 })
    const [sent] = messages
    if (sent === undefined) throw new Error('nothing was sent')
    return sent
  }
}
