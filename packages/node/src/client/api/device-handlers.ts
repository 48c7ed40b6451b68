/** Handlers for the account's own devices. */
import { type LinkEvent, parseMessageId } from '@skein/core'
import type { Client } from '../assemble.ts'
import type { JoinStep, LinkStep } from './contract.ts'
import { EventQueue } from './event-queue.ts'
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
    const host = await client.messenger.devices.link()
    const steps = new EventQueue<LinkStep>(signal)
    const stop = host.listen((event) => steps.put(linkStep(event)))
    try {
      await host.offer(client.config.relays[0]?.split('#')[0] ?? null)
      for await (const step of steps) {
        yield step
        if (step.state === 'linked' || step.state === 'failed') return
      }
    } finally {
      stop()
      // Whoever looks away before anybody has confirmed wants no new device; a confirmed one may come back for its keys.
      if (!host.isConfirmed) await host.withdraw()
    }
  }),
  decide: os.decide.handler(async ({ context: { client }, input: { accept, code } }) => {
    const host = await client.messenger.devices.link()
    host.answer(accept, code)
    return {}
  }),
  join: os.join.handler(async function* ({ context: { client }, input, signal }): AsyncGenerator<JoinStep, void> {
    try {
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

async function* join(client: Client, link: string, signal: AbortSignal | undefined): AsyncGenerator<JoinStep, void> {
  yield { state: 'connecting' }
  const steps = new EventQueue<JoinStep>(signal)
  const onCode = (code: string): void => steps.put({ state: 'compare', code })
  const joined = client.messenger.devices.join(link, { onCode, ...(signal === undefined ? {} : { signal }) })
  joined.then(
    () => steps.end(),
    (error: unknown) => steps.fail(error),
  )
  yield* steps
  const { account, name, relays } = await joined
  try {
    yield { state: 'linked', account, device: client.messenger.identity.device }
  } finally {
    await keepSettings(client, { name, relays })
    client.restart()
  }
}

/** What the account is called and where it is found; not what a flag or the environment decides. */
async function keepSettings(
  client: Client,
  { name, relays }: { readonly name: string; readonly relays: readonly string[] },
): Promise<void> {
  if (client.config.name === '') await client.configure({ name }).catch(() => undefined)
  if (client.config.relays.length === 0 && relays.length > 0) await client.configure({ relays: [...relays] }).catch(() => undefined)
}

function linkStep(event: LinkEvent): LinkStep {
  if (event.state === 'waiting') return { state: 'waiting', link: event.link, expires_at: event.expiresAt }
  if (event.state === 'failed') return { state: 'failed', code: event.error.code, message: event.error.message }
  return { ...event }
}
