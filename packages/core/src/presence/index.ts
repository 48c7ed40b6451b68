/**
 * Presence: PRESENCE on arrival, WELCOME in reply, REFRESH every 15 s, gone 45 s after the last sign of life. Shown to
 * everyone in a relay's community, to contacts only, or to nobody.
 */
export * from './presence-service.ts'
export * from './presence-table.ts'
export * from './statements.ts'
