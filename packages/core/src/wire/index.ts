/**
 * The wire: the only place that parses bytes from outside. Every parser has a limit, returns plain data and throws
 * `BAD_FRAME` or `FRAME_TOO_LARGE` for anything else. Frames are protobuf (proto/skein.proto); docs/spec/wire.md says
 * what each means.
 */
export * from './admission.ts'
export * from './bulk.ts'
export * from './card-drop.ts'
export * from './circuit.ts'
export * from './contact.ts'
export * from './content.ts'
export * from './dcutr.ts'
export * from './deliver.ts'
export * from './delivery-control.ts'
export * from './files.ts'
export * from './handover.ts'
export * from './lan.ts'
export * from './limits.ts'
export * from './manifest.ts'
export { decodeCarryFile, encodeCarryFile, encodeNeighbourFrame, MAX_CARRY_FILE_BYTES, MAX_PART_BYTES } from './mesh-bundle.ts'
export * from './mailbox.ts'
export * from './notice.ts'
export * from './presence.ts'
export * from './signed.ts'
export * from './sealed.ts'
export * from './udp-punch.ts'
