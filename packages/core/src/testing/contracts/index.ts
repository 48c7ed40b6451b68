/** Contract suites: what every adapter of a port must do. They are vitest code and run where the adapter lives. */
export * from './clock.ts'
export * from './compression.ts'
export * from './directory.ts'
export * from './logger.ts'
export * from './primitives.ts'
export * from './random.ts'
export * from './store.ts'
export * from './swarm.ts'
