/** How a new device of an account is linked, step by step, on either side. */
import type { LinkEvent } from '@skein/core'
import type { Client } from '../assemble.ts'
import type { JoinStep, LinkStep } from './contract.ts'
import { EventQueue } from './event-queue.ts'

/** On the device that is there. */
export async function* link(client: Client, signal: AbortSignal | undefined): AsyncGenerator<LinkStep, void> {
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
}

/** On the new one. */
export async function* join(client: Client, link: string, signal: AbortSignal | undefined): AsyncGenerator<JoinStep, void> {
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
