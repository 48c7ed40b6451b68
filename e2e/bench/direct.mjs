// Two pages: how long until their connection is a direct one, and how long a delivered message takes over it.

/** Runs in the page: when it had its place at the relay, and when its way to the contact was a direct one. */
async function timesUntilDirect() {
  const api = await globalThis.skein.ready()
  const times = {}
  for (const end = performance.now() + 60_000; performance.now() < end && times.direct === undefined; ) {
    const [{ relays }, { peers }] = await Promise.all([api.status(), api.peers()])
    const now = performance.now()
    const paths = peers.filter(({ contact }) => contact !== null).map(({ path }) => path)
    if (relays.some(({ reserved }) => reserved)) times.joined ??= now
    if (paths.some((path) => path !== 'none')) times.reached ??= now
    if (paths.some((path) => path === 'direct' || path === 'lan')) times.direct ??= now
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return times
}

async function roundTrips(count) {
  const api = await globalThis.skein.ready()
  const [{ contact }] = (await api.contacts()).contacts
  const times = []
  for (let n = 0; n < count; n += 1) {
    const start = performance.now()
    const { timed_out } = await api.send({ contacts: [contact], text: 'x'.repeat(200), wait: 'delivered', timeout_ms: 60_000 })
    if (timed_out) throw new Error('a message was not delivered')
    times.push(performance.now() - start)
  }
  return times
}

/** Runs in the page of the other side: until it has noticed that nobody is there any more. */
async function untilAlone() {
  const api = await globalThis.skein.ready()
  for (const end = performance.now() + 60_000; performance.now() < end; ) {
    const { peers } = await api.peers()
    if (peers.every(({ contact, path }) => contact === null || path === 'none')) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('the page that has gone is still thought to be there')
}

/** From the place at the relay, which comes first, to the direct connection. */
async function timeUntilDirect(page) {
  const { joined, reached, direct } = await page.evaluate(timesUntilDirect)
  if (direct === undefined) throw new Error('the connection did not become direct')
  return direct - Math.min(joined ?? direct, reached)
}

/** `page` comes anew each time, when `other` has noticed that it was gone. @returns milliseconds of each round */
export async function measureDirect(page, { other, rounds }) {
  const url = page.url()
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    await page.goto('about:blank')
    await other.evaluate(untilAlone)
    await page.goto(url)
    times.push(await timeUntilDirect(page))
  }
  return times
}

/** `page` is loaded again, while the other side may think that it is still there. @returns milliseconds of each round */
export async function measureReloads(page, rounds) {
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    await page.reload()
    times.push(await timeUntilDirect(page))
  }
  return times
}

export function measureRoundTrips(page, count) {
  return page.evaluate(roundTrips, count)
}
