export * from './route-node.ts'
export * from './route-table.ts'
