// How long a person waits: for the first page with an invite, and for the history after a reload. Timed inside the page,
// from the start of its navigation, so that driving the browser costs nothing.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const OUT = fileURLToPath(new URL('../../apps/web/out', import.meta.url))
/** Worker and service worker are no part of the page. */
const APART = /\/(store-worker|sw)\.js$/

/** Runs in the page before its own scripts: starts without a name, and notes when something to look for is there. */
export function watch() {
  const WANTED = { ready: 'textarea', history: '[data-direction]', joined: '[data-tone="good"]' }
  const marks = {}
  const look = () => {
    const start = document.querySelector('main form button[type="submit"]')
    if (start !== null && marks.welcomed === undefined) {
      marks.welcomed = performance.now()
      start.click()
    }
    for (const [name, selector] of Object.entries(WANTED)) {
      if (marks[name] !== undefined || document.querySelector(selector) === null) continue
      marks[name] = performance.now()
      if (name === 'ready') marks.scripts = performance.getEntriesByType('resource').map((entry) => entry.name)
    }
  }
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true })
  globalThis.benchMarks = marks
}

export async function markIn(page, name) {
  await page.waitForFunction((wanted) => globalThis.benchMarks[wanted] !== undefined, name, { timeout: 120_000 })
  return page.evaluate((wanted) => globalThis.benchMarks[wanted], name)
}

/** Bytes of the page's scripts, each compressed as the relay sends it. */
function compressedSize(urls) {
  const files = new Set(urls.map((url) => new URL(url).pathname).filter((path) => path.endsWith('.js') && !APART.test(path)))
  return [...files].reduce((sum, path) => sum + gzipSync(readFileSync(join(OUT, path))).length, 0)
}

/** One newcomer: opens the invite, may write, writes, opens the page again. */
export async function measureLoad(world, invite) {
  const { context, page } = await world.person()
  try {
    await page.addInitScript(watch)
    await page.goto(invite)
    const ready = await markIn(page, 'ready')
    const scripts = await markIn(page, 'scripts')
    await page.locator('textarea').fill('The first message')
    await page.keyboard.press('Enter')
    await page.locator('[data-direction] [data-state="delivered"]').waitFor({ timeout: 60_000 })
    await page.reload()
    return { ready, bytes: compressedSize(scripts), history: await markIn(page, 'history') }
  } finally {
    await context.close()
  }
}
