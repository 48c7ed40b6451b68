/** For tests: a clock that is told the time, seeded randomness, a network pumped by hand, and whole worlds of messengers. */
export * from './bundles.ts'
export * from './ends.ts'
export * from './memory-network.ts'
export * from './memory-store.ts'
export * from './recording-logger.ts'
export * from './seeded-random.ts'
export * from './virtual-clock.ts'
export * from './world.ts'
