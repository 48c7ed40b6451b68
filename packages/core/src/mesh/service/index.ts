export type * from './bundle-archive.ts'
export * from './mesh-service.ts'
export type * from './packing.ts'
export type * from './status.ts'
