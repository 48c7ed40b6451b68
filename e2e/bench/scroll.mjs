// A conversation of many messages: frames while it scrolls, and what the page holds in memory then.
import { readFileSync } from 'node:fs'

/** Runs in the page: scrolls up at `speed` px a second, down if it is negative, for `most` ms or to the conversation's beginning. */
async function scrollUp({ speed, most }) {
  const list = document.querySelector('[role="log"]')
  const rounds = []
  let frames = 0
  let last = performance.now()
  const end = last + most
  let [windowStart, windowFrames] = [last, 0]
  while (performance.now() < end) {
    const now = await new Promise(requestAnimationFrame)
    frames += 1
    windowFrames += 1
    if (now - windowStart >= 1_000) {
      rounds.push((windowFrames * 1_000) / (now - windowStart))
      ;[windowStart, windowFrames] = [now, 0]
    }
    list.scrollTop -= (speed * Math.min(now - last, 100)) / 1_000
    last = now
    if (speed > 0 && list.scrollTop <= 0 && document.querySelector('[data-beginning]') !== null) break
  }
  return { perSecond: rounds, frames, atBeginning: document.querySelector('[data-beginning]') !== null }
}

/** @returns frames a second, one figure for each second of scrolling */
export function measureScroll(page, { speed, most }) {
  return page.evaluate(scrollUp, { speed, most })
}

/** Memory that belongs to the page's process alone, bytes, its workers included; elsewhere than on Linux the script heap. */
export async function memoryOf(browser, page) {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.collectGarbage')
  if (process.platform !== 'linux') {
    await session.send('Performance.enable')
    const { metrics } = await session.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'JSHeapUsedSize').value
  }
  const ofBrowser = await browser.newBrowserCDPSession()
  const { processInfo } = await ofBrowser.send('SystemInfo.getProcessInfo')
  const sizes = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => privateBytes(id))
  // Chromium keeps an empty process in reserve.
  return Math.max(...sizes)
}

function privateBytes(pid) {
  const lines = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)
  return [...lines].reduce((sum, [, kilobytes]) => sum + Number(kilobytes) * 1_024, 0)
}
