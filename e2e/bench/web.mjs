// The web client in a real Chromium: what a newcomer loads and waits for, two pages that find a direct connection, and a
// long conversation. Figures are medians of several rounds.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Interface } from '../browser/interface-pages.ts'
import { Pages } from '../browser/pages.ts'
import { eventually } from '../processes.ts'
import { ensureChromium } from '../../tools/system-packages.mjs'
import { measureDirect, measureReloads, measureRoundTrips } from './direct.mjs'
import { markIn, measureLoad, watch } from './load.mjs'
import { measureScroll, memoryOf } from './scroll.mjs'
import { median, rounded } from '../../bench/suites/e2ee-median.mjs'
import { peer } from '../../bench/suites/peer-process.mjs'

const ROUNDS = 5
const DIRECT_ROUNDS = 11
const ROUND_TRIPS = 200
const MESSAGES = 10_000
/** A fast flick on a phone, px a second, and for how long, ms. */
const SCROLL = { speed: 6_000, most: 10_000 }
const TO_THE_BEGINNING = { speed: 60_000, most: 180_000 }

const say = (text) => process.stderr.write(`${text}\n`)

async function newcomers(world, inviter) {
  const rounds = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const { invite } = await inviter.call('invite')
    rounds.push(await measureLoad(world, invite))
  }
  return {
    first_load_script_gzip_kb: rounded(median(rounds.map(({ bytes }) => bytes)) / 1_000),
    first_load_to_ready_ms: Math.round(median(rounds.map(({ ready }) => ready))),
    reload_to_history_ms: Math.round(median(rounds.map(({ history }) => history))),
  }
}

/** Two pages without an interface, of one context each. */
async function pair(relay) {
  await using pages = await Pages.open()
  const [ana, bo] = await Promise.all(['ana', 'bo'].map(async (name) => pages.tab(await pages.context(), { name, relays: [relay.url] })))
  await eventually('ana joins', async () => (await ana.call('status')).relays.some(({ reserved }) => reserved))
  await bo.call('add', { invite: (await ana.call('invite')).invite })
  await ana.send((await eventuallyContact(ana)).contact, 'hello')
  const direct = await measureDirect(bo.page, { other: ana.page, rounds: DIRECT_ROUNDS })
  const reloads = await measureReloads(bo.page, ROUNDS)
  await measureRoundTrips(bo.page, 20)
  const trips = await measureRoundTrips(bo.page, ROUND_TRIPS)
  const { transport } = await bo.call('why', { contact: (await eventuallyContact(bo)).contact })
  return {
    time_to_direct_ms: Math.round(median(direct)),
    time_to_direct_ms_worst: Math.round(Math.max(...direct)),
    time_to_direct_after_reload_ms: Math.round(median(reloads)),
    message_rtt_p50_ms: rounded(median(trips)),
    transport,
  }
}

async function eventuallyContact(client) {
  let found
  await eventually('a contact', async () => {
    found = (await client.call('contacts')).contacts.find(({ state }) => state === 'accepted')
    return found !== undefined
  })
  return found
}

async function longConversation(world, inviter) {
  const { page, context } = await world.person()
  await page.addInitScript(watch)
  await page.goto((await inviter.call('invite')).invite)
  await page.locator('textarea').fill('hello')
  await page.keyboard.press('Enter')
  await page.locator('[data-state="delivered"]').first().waitFor({ timeout: 60_000 })
  const began = performance.now()
  await inviter.call('fill', { count: MESSAGES })
  say(`${MESSAGES} messages arrived in ${Math.round((performance.now() - began) / 1_000)} s`)
  await page.reload()
  await markIn(page, 'history')
  const up = await measureScroll(page, SCROLL)
  // The whole conversation is read, so that all of it counts.
  const { atBeginning } = await measureScroll(page, TO_THE_BEGINNING)
  const down = await measureScroll(page, { ...SCROLL, speed: -SCROLL.speed })
  const perSecond = [...up.perSecond, ...down.perSecond]
  const memory = await memoryOf(world.browser, page)
  await context.close()
  return {
    scroll_10000_fps: rounded(median(perSecond)),
    scroll_10000_fps_worst: rounded(Math.min(...perSecond)),
    memory_mb_10000_messages: Math.round(memory / 1e6),
    whole_conversation_scrolled: atBeginning,
  }
}

ensureChromium()
const dir = mkdtempSync(join(tmpdir(), 'skein-bench-'))
const inviter = peer()
try {
  await using world = await Interface.open()
  const node = (name) => inviter.call('startClient', { dataDir: join(dir, name), relay: world.relay.url, name })
  await node('inviter')
  await inviter.call('joined')
  say('long conversation')
  const long = await longConversation(world, inviter)
  say('newcomers')
  const first = await newcomers(world, inviter)
  say('two pages')
  const document = { ...first, ...(await pair(world.relay)), ...long }
  process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify(document)}\n` : `${JSON.stringify(document, null, 2)}\n`)
  await inviter.call('stop')
} finally {
  inviter.end()
  rmSync(dir, { recursive: true, force: true })
}
