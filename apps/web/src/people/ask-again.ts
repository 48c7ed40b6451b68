/** Between an answer and the next question, ms. */
export const ASK_AGAIN_MS = 3_000

/** Asks now, and again while what it is asked for is shown: nothing tells of it when it changes. @returns ends that */
export function askAgain<T>(ask: () => Promise<T>, take: (answer: T) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isWanted = true
  const again = async (): Promise<void> => {
    // What was answered last stays while the client does not answer.
    const answer = await ask().catch(() => undefined)
    if (!isWanted) return
    if (answer !== undefined) take(answer)
    timer = setTimeout(() => void again(), ASK_AGAIN_MS)
  }
  void again()
  return () => {
    isWanted = false
    clearTimeout(timer)
  }
}
