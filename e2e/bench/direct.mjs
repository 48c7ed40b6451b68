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

/** From the place at the relay, which comes first, to the direct connection; the page starts anew each time. */
export async function measureDirect(page, rounds) {
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    await page.reload()
    const { joined, reached, direct } = await page.evaluate(timesUntilDirect)
    if (direct === undefined) throw new Error('the connection did not become direct')
    times.push({ untilDirect: direct - Math.min(joined ?? direct, reached), afterFirst: direct - reached })
  }
  return times
}

export function measureRoundTrips(page, count) {
  return page.evaluate(roundTrips, count)
}
