// What came of messages between two clients, as both have them. Every text of a run is its own, so that one which was sent
// anew under another id and came twice is seen: a history never holds one id twice.

/** @param {{ id, text, created_at }[]} out as the sender has them @param {{ id, text, received_at }[]} into as the recipient has them */
export function countOf(out, into) {
  const arrivals = new Map(into.map(({ id, received_at: at }) => [id, at]))
  const sent = new Set(out.map(({ id }) => id))
  const times = [...arrivals.values()].sort((a, b) => a - b)
  const gaps = times.slice(1).map((at, before) => at - times[before])
  const delivered = out.filter(({ id }) => arrivals.has(id))
  return {
    sent: out.length,
    delivered: delivered.length,
    doubled: into.length - new Set(into.map(({ text }) => text)).size,
    unsent: into.filter(({ id }) => !sent.has(id)).length,
    gap: gaps.length === 0 ? null : Math.max(...gaps),
    latencies: delivered.map(({ id, created_at: at }) => arrivals.get(id) - at),
  }
}
