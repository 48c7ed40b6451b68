import { loadOnce } from '../devices/load-once.ts'

/** Seldom wanted: who loads us over a network does not load it at the start. */
export const loadUnconfirmed = loadOnce(() => import('./unconfirmed.ts'))
