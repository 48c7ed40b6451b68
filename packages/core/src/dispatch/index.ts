/**
 * Dispatch: hands each row of the outbox to the carriers that the plan names, takes in what they and the other side say
 * about it, and gives up what has expired. Promises: a row is in the outbox until its device has acknowledged it or its
 * time is up, whatever carriers claim.
 */
export * from './dispatcher.ts'
export * from './mesh-carrier.ts'
export * from './mail-carrier.ts'
export type * from './outbox-view.ts'
