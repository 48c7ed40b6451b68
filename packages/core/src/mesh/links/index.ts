export * from './channel-link.ts'
export * from './frame-link.ts'
export type * from './link.ts'
export * from './paced-link.ts'
