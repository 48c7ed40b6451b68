/**
 * Local networks: what a device announces there, and how contacts, and nobody else, recognise it. Carrying the
 * announcements is the adapter's part (ports/discovery.ts).
 */
export { EPOCH_MS, type ListeningPorts, MAX_LAN_CONTACTS } from './announcer.ts'
export { MAX_HEARD_OF_ALL, MAX_HEARD_OF_ONE } from './hearing.ts'
export * from './lan-service.ts'
export type { LanPeer } from './tags.ts'
