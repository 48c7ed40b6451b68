/** Code that is seldom wanted, or late: who loads us over a network does not load it at the start. */
import { loadOnce } from '../devices/load-once.ts'

/** As `loadUnconfirmed`: looked for beside it. */
export const loadOldMail = loadOnce(() => import('./old-mail.ts'))
export const loadUnconfirmed = loadOnce(() => import('./unconfirmed.ts'))
/** Wanted once somebody is away. */
export const loadDepositor = loadOnce(() => import('../mailbox/depositor.ts'))
export const loadOutboxView = loadOnce(() => import('./outbox-view.ts'))
export const loadAnnotate = loadOnce(() => import('../main-path/annotate.ts'))
export const loadExpire = loadOnce(() => import('../main-path/expire.ts'))
export const loadDropDevice = loadOnce(() => import('../main-path/drop-device.ts'))
