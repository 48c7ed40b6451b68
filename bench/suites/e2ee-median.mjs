export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

export const rounded = (value) => Number(value.toFixed(2))

/** Repetitions per second of `step`. */
export function rate(count, step) {
  const start = performance.now()
  for (let at = 0; at < count; at += 1) step(at)
  return (count * 1_000) / (performance.now() - start)
}

/** Milliseconds that `step` takes: the median after a few unmeasured ones. */
export async function medianMs(count, step) {
  const warmUp = 5
  const times = []
  for (let at = 0; at < count + warmUp; at += 1) {
    const start = performance.now()
    await step(at)
    times.push(performance.now() - start)
  }
  return median(times.slice(warmUp))
}
