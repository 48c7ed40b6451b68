/** How long a receipt may take, in milliseconds; doubled with each further try. */
export const PATIENCE_MS = 400
/** What is large waits, behind others of its kind too: so many bytes a millisecond come through at the least. */
const SLOWEST = 64
/** Larger ones are asked for in a first flood, and have one more (ME24). */
const HEAVY_BYTES = 16_384
export const HEAVY_ATTEMPTS = 2

/** Larger ones do not look for a second way: whoever is near would see them whole (ME31). */
const MOST_LOOKING_BYTES = 2_048

export function isHeavy({ payload }: { readonly payload: Uint8Array }): boolean {
  return payload.length > HEAVY_BYTES
}

/** Whether it may flood although a way is known. */
export function mayLook({ payload, byRouteOnly = false }: { readonly payload: Uint8Array; readonly byRouteOnly?: boolean }): boolean {
  return !byRouteOnly && payload.length <= MOST_LOOKING_BYTES
}

export function patienceFor({ length }: Uint8Array): number {
  return PATIENCE_MS + length / SLOWEST
}
