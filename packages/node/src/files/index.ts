export { bulkPortOn } from './bulk-port.ts'
export * from './node-files.ts'
