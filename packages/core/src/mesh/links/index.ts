export * from './frame-link.ts'
export type * from './link.ts'
