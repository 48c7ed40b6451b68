/** Days where the user is. */
export const startOfDay = (instant: number): number => new Date(instant).setHours(0, 0, 0, 0)

export const isSameDay = (a: number, b: number): boolean => startOfDay(a) === startOfDay(b)

/** How often it is looked whether a day has ended, ms. */
const LOOK_EVERY_MS = 60_000

/** @param tell gets the beginning of each day that begins from now on. The returned function ends it. */
export function watchDays(tell: (day: number) => void): () => void {
  let day = startOfDay(Date.now())
  const looking = setInterval(() => {
    if (isSameDay(day, Date.now())) return
    day = startOfDay(Date.now())
    tell(day)
  }, LOOK_EVERY_MS)
  return () => clearInterval(looking)
}
