/** The Chromium of the system: playwright-core drives it, and downloads none. */
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const CANDIDATES = [
  process.env['SKEIN_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

export const MISSING = 'There is no Chromium: install it (Debian: apt-get install chromium), or set SKEIN_CHROMIUM to its path.'

export function findChromium(): string | undefined {
  return CANDIDATES.find((path) => path !== undefined && existsSync(path))
}

/** @throws Error when there is no Chromium, or it does not start */
export async function launchChromium(args: readonly string[]): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error(MISSING)
  // Chromium refuses to sandbox for root, which is who runs tests in most containers.
  return chromium.launch({ executablePath, args: [...args], chromiumSandbox: process.getuid?.() !== 0 })
}
