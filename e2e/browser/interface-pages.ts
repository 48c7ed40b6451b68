/** The exported interface in a real Chromium, served by a real relay, as people use it: by what they see. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { Lab, type LabRelay } from '../processes.ts'
import { launchChromium } from './chromium.ts'

export const OUT = fileURLToPath(new URL('../../apps/web/out', import.meta.url))
const AXE = createRequire(new URL('../../apps/web/package.json', import.meta.url)).resolve('axe-core/axe.min.js')

export const PHONE = { width: 360, height: 640 }
export const DESK = { width: 1_200, height: 800 }
/** A name that is not localhost, whose origin a browser would trust. */
export const INSECURE = 'lan.test'
const WITHIN_MS = 60_000

interface Violation {
  readonly id: string
  readonly impact: string | null
  readonly nodes: readonly { readonly html: string }[]
}

/** Makes something when it is first asked for, and again when that has failed. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

/** Worker and service worker are no part of a page. */
const APART = /\/(store-worker|file-worker|sw)\.js$/
/** What a page does after this, ms, no first message waits for: so it must not be needed, and is held back here. */
const LATER_MS = 3_000
/** So much later, ms: time-outs and second tries, without which a page on a busy machine may wait for ever, come all the same. */
const HELD_MS = 20_000

/** What the page would do only after a while it does much later, in the first document of its tab. */
export async function holdBack(page: Page): Promise<void> {
  await page.addInitScript(
    ([later, held]: readonly [number, number]) => {
      if (sessionStorage.getItem('test.held') !== null) return
      sessionStorage.setItem('test.held', 'yes')
      const real = globalThis.setTimeout
      globalThis.setTimeout = ((work: TimerHandler, ms = 0, ...given: unknown[]) =>
        real(work, ms < later ? ms : ms + held, ...given)) as typeof setTimeout
    },
    [LATER_MS, HELD_MS] as const,
  )
}

/** Bytes of the scripts that a page has loaded, each compressed as a relay sends it. */
export async function scriptBytes(page: Page): Promise<number> {
  const names = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname))
  const scripts = new Set(names.filter((path) => path.endsWith('.js') && !APART.test(path)))
  return [...scripts].reduce((sum, path) => sum + gzipSync(readFileSync(OUT + path)).length, 0)
}

/** Runs before the code of the worker that has the database. */
export async function inWorker({ context }: Person, code: string): Promise<void> {
  const body = `${code}\n${readFileSync(`${OUT}/store-worker.js`, 'utf8')}`
  await context.route('**/store-worker.js', (route) => route.fulfill({ contentType: 'text/javascript', body }))
}

/** A relay that serves the interface, and a browser. */
export class Interface implements AsyncDisposable {
  readonly lab: Lab
  readonly relay: LabRelay
  readonly browser: Browser

  private constructor(lab: Lab, relay: LabRelay, browser: Browser) {
    this.lab = lab
    this.relay = relay
    this.browser = browser
  }

  static async open(): Promise<Interface> {
    if (!existsSync(OUT)) throw new Error('the interface has not been built: npm run build in apps/web')
    const lab = new Lab()
    const relay = await lab.relay('relay', {}, ['--web', OUT])
    return new Interface(lab, relay, await launchChromium([`--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`]))
  }

  /** A person with a browser of their own. */
  async person({ viewport = DESK, language = 'en-GB', serviceWorkers = 'allow' as 'allow' | 'block' } = {}): Promise<Person> {
    const context = await this.browser.newContext({ viewport, locale: language, serviceWorkers })
    context.setDefaultTimeout(WITHIN_MS)
    return new Person(context, await context.newPage(), this.relay.url)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    await this.lab[Symbol.asyncDispose]()
  }
}

export class Person {
  readonly context: BrowserContext
  readonly page: Page
  readonly url: string
  /** What the page complained about: also each script or style that the policy forbade. */
  readonly complaints: string[] = []

  constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context
    this.page = page
    this.url = url
    page.on('console', (line) => {
      if (/Content Security Policy/i.test(line.text())) this.complaints.push(line.text())
    })
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  /** Opens the page and passes the welcome. @param at an address, e.g. an invite */
  async enter(name: string, at = this.url): Promise<void> {
    await this.page.goto(at)
    await this.page.getByLabel('What others see as your name').fill(name)
    await this.page.getByRole('button', { name: /^Start/ }).click()
  }

  /** The same person in another tab, opened while the first one is there. */
  async anotherTab(): Promise<Person> {
    const tab = new Person(this.context, await this.context.newPage(), this.url)
    await tab.page.goto(this.url)
    return tab
  }

  async joined(): Promise<void> {
    await this.page.locator('[data-tone="good"]').waitFor()
  }

  /** Goes to a place within the page. @param place what stands behind the `#` */
  async at(place: string): Promise<void> {
    await this.page.evaluate((hash) => {
      globalThis.location.hash = hash
    }, place)
  }

  area(name: string): Promise<void> {
    return this.page.getByRole('navigation').getByRole('link', { name }).click()
  }

  async invite(): Promise<string> {
    await this.page.getByRole('button', { name: 'Invite', exact: true }).click()
    const invite = await this.page.getByLabel('Your invite', { exact: true }).inputValue()
    await this.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
    return invite
  }

  async write(text: string): Promise<void> {
    await this.page.getByLabel('Write a message').fill(text)
    await this.page.keyboard.press('Enter')
  }

  /** Waits until the message is there, sent messages until the tick says `state`; what is delivered may be read by now. */
  async sees(text: string, state?: string): Promise<void> {
    const row = this.page.locator('[data-direction]', { hasText: text })
    const states = state === 'delivered' ? ['delivered', 'read'] : [state]
    const tick = states.map((each) => `[data-state="${each}"]`).join(', ')
    await (state === undefined ? row : row.locator(tick)).first().waitFor()
  }

  /** What axe finds that is serious or worse, as sentences. */
  async faults(): Promise<readonly string[]> {
    await this.page.evaluate(await axe())
    const violations = (await this.page.evaluate('axe.run().then(({ violations }) => violations)')) as readonly Violation[]
    const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
    return grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
  }

  /** Pixels by which the page, or something in it that can be used, is wider than its window. */
  overflow(): Promise<number> {
    return this.page.evaluate(() => {
      const used = [...document.querySelectorAll('a, button, input, textarea, select')].map((each) => each.getBoundingClientRect())
      const { scrollWidth, clientWidth } = document.documentElement
      return Math.max(0, scrollWidth - clientWidth, ...used.map(({ right }) => Math.ceil(right - clientWidth)))
    })
  }
}

let source: Promise<string> | undefined
function axe(): Promise<string> {
  source ??= import('node:fs/promises').then(({ readFile }) => readFile(AXE, 'utf8'))
  return source
}
