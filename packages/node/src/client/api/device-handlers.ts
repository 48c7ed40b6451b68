/** Handlers for the account's own devices. */
import { parseMessageId } from '@skein/core'
import type { JoinStep, LinkStep } from './contract.ts'
import { toApiError } from './errors.ts'
import { os } from './procedures.ts'

export const deviceHandlers = {
  proofs: os.proofs.handler(async ({ context: { client }, input }) => {
    const { book, proofs } = client.messenger
    const contact = input.contact === undefined ? undefined : book.find(input.contact).account
    if (input.allowed !== undefined) await proofs.allow(input.allowed, contact)
    return contact === undefined ? { contact: null, ours: proofs.everybody, theirs: null } : { contact, ...proofs.state(contact) }
  }),
  proof: os.proof.handler(async ({ context: { client }, input }) => {
    const found = await client.messenger.proofs.of(parseMessageId(input.id))
    // Few ask for one: its format is loaded then.
    const { proofFile } = await import('../../proofs/proof-file.ts')
    return { proof: proofFile(found) }
  }),
  checkProof: os.checkProof.handler(async ({ context: { client }, input }) => {
    const { checkProofFile } = await import('../../proofs/proof-file.ts')
    const { valid: _valid, receipts, stored, ...said } = checkProofFile(client.primitives, input.file)
    return { ...said, receipts: [...receipts], stored: [...stored] }
  }),
  devices: os.devices.handler(({ context: { client } }) => {
    const { messenger } = client
    const devices = messenger.devices.all().map(({ device, name, here, lastSeen }) => {
      const seen = messenger.presence.lastSeen(device) ?? lastSeen
      return {
        device,
        name,
        here,
        online: here || messenger.presence.isPresent(device),
        last_seen: seen === null ? null : Math.round(seen),
      }
    })
    return { devices, version: messenger.identity.listVersion, revoked: messenger.identity.isRevoked }
  }),
  link: os.link.handler(async function* ({ context: { client }, signal }): AsyncGenerator<LinkStep, void> {
    // Few link devices: how it goes is loaded then.
    const { link } = await import('./device-steps.ts')
    yield* link(client, signal)
  }),
  decide: os.decide.handler(async ({ context: { client }, input: { accept, code } }) => {
    const host = await client.messenger.devices.link()
    host.answer(accept, code)
    return {}
  }),
  join: os.join.handler(async function* ({ context: { client }, input, signal }): AsyncGenerator<JoinStep, void> {
    try {
      const { join } = await import('./device-steps.ts')
      yield* join(client, input.link, signal)
    } catch (error) {
      // What comes after the first step is no failure of the call, so nobody else makes it one that a caller understands.
      throw toApiError(error)
    }
  }),
  revokeDevice: os.revokeDevice.handler(async ({ context: { client }, input }) => ({
    device: await client.messenger.devices.revoke(input.device),
  })),
}
