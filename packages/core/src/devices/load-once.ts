/**
 * What `load` makes, made at the first call and kept; after a failure the next call tries again. For code that few need, so that
 * who loads us over a network does not load it before.
 */
export function loadOnce<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }
}
