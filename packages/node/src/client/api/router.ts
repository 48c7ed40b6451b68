/** Serves the contract from a running client. */
import { assertSendable, type MessageId, parseDeviceId, parseMessageId, SkeinError } from '@skein/core'
import type { Client } from '../assemble.ts'
import { conversationHandlers } from './conversation-handlers.ts'
import type { ClientEvent, SettingsView, StatesView } from './contract.ts'
import { fileHandlers } from './file-handlers.ts'
import { deviceHandlers } from './device-handlers.ts'
import { os } from './procedures.ts'
import { contactView, eventView, historyView, outboxView, peerViews, sentView, settingsView } from './views.ts'
import { waitFor } from './waiting.ts'

/** Events that wait for a slow reader at most; then the stream ends and the reader asks again. */
const MAX_PENDING_EVENTS = 10_000

export const router = os.router({
  status: os.status.handler(({ context: { client } }) => ({
    account: client.messenger.identity.account,
    device: client.messenger.identity.device,
    name: client.config.name,
    pid: client.pid,
    addresses: [...client.swarm.addresses()],
    relays: client.swarm
      .relays()
      .map(({ url, connected, reserved, givesPlaces }) => ({ url, connected, reserved, gives_places: givesPlaces })),
    serves_page: client.page?.isPossible ?? false,
    clock_ahead_ms: client.swarm.clockAheadMs(),
  })),
  invite: os.invite.handler(async ({ context: { client }, input }) => {
    const [url, ...others] = input?.here === true ? await pagesOf(client) : []
    const { invite, expiresAt } = await client.messenger.invite(url)
    return { invite, expires_at: expiresAt, others: others.map((each) => `${each}/${invite.slice(invite.indexOf('#'))}`) }
  }),
  revoke: os.revoke.handler(async ({ context: { client }, input }) => ({ revoked: await client.messenger.revokeInvites(input.invite) })),
  add: os.add.handler(async ({ context: { client }, input }) => {
    const contact = await client.messenger.add(input.invite, input.name)
    return { contact: contact.account, name: contact.petname, state: contact.state === 'accepted' ? 'accepted' : 'pending' }
  }),
  ask: os.ask.handler(async ({ context: { client }, input }) => {
    const contact = await client.messenger.ask(parseDeviceId(input.device))
    const state = contact?.state === 'accepted' ? 'accepted' : 'pending'
    return { contact: contact?.account ?? null, name: contact?.petname ?? '', state }
  }),
  contacts: os.contacts.handler(({ context: { client } }) => ({
    contacts: client.messenger.book.all().map((contact) => contactView(client.messenger, contact)),
  })),
  change: os.change.handler(async ({ context: { client }, input }) => {
    const { contact, name, ...rest } = input
    const { account } = client.messenger.book.find(contact)
    const change = Object.fromEntries(Object.entries({ ...rest, petname: name }).filter(([, value]) => value !== undefined))
    return contactView(client.messenger, await client.messenger.change(account, change))
  }),
  verify: os.verify.handler(async ({ context: { client }, input: { contact: wanted, verified, match } }) => {
    const { messenger } = client
    const known = messenger.book.find(wanted)
    const decided = verified ?? match !== undefined
    const contact = verified === undefined && match === undefined ? known : await messenger.setVerified(known, decided, match)
    return { contact: contact.account, safety_number: messenger.safetyNumber(contact), trust: contact.trust }
  }),
  why: os.why.handler(async ({ context: { client }, input }) => {
    const contact = client.messenger.book.find(input.contact)
    const { whyView, withMailbox } = await import('./why.ts')
    return withMailbox(whyView(client, contact), await client.messenger.deliveries.outbox())
  }),
  doctor: os.doctor.handler(async ({ context: { client } }) => (await import('./doctor.ts')).doctorView(client)),
  peers: os.peers.handler(({ context: { client } }) => ({ peers: peerViews(client) })),
  send: os.send.handler(async ({ context: { client }, input, signal }) => {
    // Whoever is named twice gets it once.
    const recipients = [...new Set(input.contacts.map((text) => client.messenger.book.find(text)))]
    if (input.id !== undefined && recipients.length > 1) throw new SkeinError('USAGE', 'One id is for one recipient.')
    const options = {
      ...(input.expire_ms === undefined ? {} : { expireMs: input.expire_ms }),
      ...(input.id === undefined ? {} : { id: parseMessageId(input.id) }),
    }
    const reply = input.reply_to === undefined ? {} : { replyTo: parseMessageId(input.reply_to) }
    const draft = { kind: 'text', text: input.text, ...reply } as const
    // To all of them or to nobody: who tries again after a refusal would send it twice to the others.
    for (const each of recipients) assertSendable(client.messenger.book, each)
    const sent = await Promise.all(recipients.map((contact) => client.messenger.send(contact, draft, options)))
    const wish = { state: input.wait, timeout: input.timeout_ms, signal }
    const waited = await Promise.all(sent.map(({ id }) => waitFor(client.messenger, client.clock, { id, wish })))
    return { messages: waited.map(({ message }) => sentView(message)), timed_out: waited.some(({ timedOut }) => timedOut) }
  }),
  ...conversationHandlers,
  ...fileHandlers,
  ...deviceHandlers,
  outbox: os.outbox.handler(async ({ context: { client } }) => ({
    outbox: (await client.messenger.deliveries.outbox()).map((entry) => outboxView(client.messenger, entry)),
  })),
  tryNow: os.tryNow.handler(({ context: { client } }) => {
    client.swarm.hurry()
    client.messenger.deliveries.wakeAll()
    return {}
  }),
  mailbox: os.mailbox.handler(async ({ context: { client } }) => ({
    mailboxes: (await client.messenger.deliveries.mailboxes()).map((each) => ({ ...each })),
  })),
  states: os.states.handler(async ({ context: { client }, input: { id } }) => ({
    id,
    devices: (await client.messenger.deliveries.states(parseMessageId(id))).map((each) => ({ ...each })),
    sent_by: await sentBy(client, parseMessageId(id)),
  })),
  retry: os.retry.handler(async ({ context: { client }, input }) => ({
    message: sentView(await client.messenger.deliveries.retry(parseMessageId(input.id), input.expire_ms)),
  })),
  cancel: os.cancel.handler(async ({ context: { client }, input }) => ({
    message: sentView(await client.messenger.deliveries.cancel(parseMessageId(input.id))),
  })),
  wait: os.wait.handler(async ({ context: { client }, input, signal }) => {
    const wish = { state: input.state, timeout: input.timeout_ms, signal }
    const { message, timedOut } = await waitFor(client.messenger, client.clock, { id: parseMessageId(input.id), wish })
    return { message: sentView(message), timed_out: timedOut }
  }),
  history: os.history.handler(async ({ context: { client }, input }) => {
    const { account } = client.messenger.book.find(input.contact)
    const page = {
      ...(input.after === undefined ? {} : { after: parseMessageId(input.after) }),
      ...(input.before === undefined ? {} : { before: parseMessageId(input.before) }),
      ...(input.limit === undefined ? {} : { limit: input.limit }),
    }
    return { messages: (await client.messenger.history(account, page)).map(historyView) }
  }),
  conversations: os.conversations.handler(async ({ context: { client } }) => ({
    conversations: (await client.messenger.conversations()).map(({ contact, last, unread }) => ({
      ...contactView(client.messenger, contact),
      last: last === null ? null : historyView(last),
      unread,
    })),
  })),
  seen: os.seen.handler(async ({ context: { client }, input }) => {
    const { account } = client.messenger.book.find(input.contact)
    return { unread: await client.messenger.seen(account, parseMessageId(input.id)) }
  }),
  settings: os.settings.handler(({ context: { client } }) => settingsView(client.config)),
  configure: os.configure.handler(async ({ context: { client }, input }) => {
    const change = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Partial<SettingsView>
    const applied = await client.configure(change)
    return { ...settingsView({ ...client.config, ...change }), applied }
  }),
  carried: os.carried.handler(async ({ context: { client }, input }) => (await import('./carry.ts')).packed(client.messenger, input.after)),
  carry: os.carry.handler(async ({ context: { client }, input }) => (await import('./carry.ts')).unpacked(client.messenger, input.bundles)),
  mesh: os.mesh.handler(async ({ context: { client }, input }) => (await import('./mesh-view.ts')).meshView(client, input)),
  events: os.events.handler(async function* ({ context: { client }, signal }): AsyncGenerator<ClientEvent, void> {
    const pending: ClientEvent[] = []
    let wake = (): void => undefined
    const stop = client.messenger.listen((event) => {
      if (pending.length < MAX_PENDING_EVENTS) pending.push(eventView(client.messenger, event))
      wake()
    })
    signal?.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal?.aborted && pending.length < MAX_PENDING_EVENTS) {
        yield* pending.splice(0)
        if (pending.length === 0 && !signal?.aborted) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      stop()
    }
  }),
  config: os.config.handler(({ context: { client } }) => client.describeConfig()),
  stop: os.stop.handler(({ context: { client } }) => {
    client.requestStop()
    return { stopping: true as const }
  }),
})

async function sentBy({ messenger }: Client, id: MessageId): Promise<StatesView['sent_by']> {
  const device = (await messenger.message(id))?.sender
  if (device === undefined) return null
  const own = messenger.devices.all().find((each) => each.device === device)
  return { device, name: own?.name ?? null, here: own?.here === true }
}

/** @throws SkeinError USAGE where nothing can be served */
function pagesOf({ page }: Client): Promise<readonly string[]> {
  if (page === undefined) throw new SkeinError('USAGE', 'A browser serves no page to others.')
  return page.urls()
}
