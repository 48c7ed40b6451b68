/**
 * Delivery: the outbox's driver, retries, order. Promises: what was committed is tried until it is acknowledged by the
 * recipient's own device, in order of its sequence numbers on each link.
 */
export * from './backoff.ts'
export * from './choose-carrier.ts'
export * from './delivery-link.ts'
export * from './hybrid-clock.ts'
export * from './postman.ts'
export * from './turnstile.ts'
