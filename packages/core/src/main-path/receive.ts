/** The way of a message in: limit → parse → dedupe → open → commit → acknowledge. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { OpenedContent } from '../e2ee/session-cipher.ts'
import type { DeviceId, MessageId } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import type { StoredContact, StoredMessage, StoreWrite } from '../ports/store.ts'
import { type ContentFields, decodeContent } from '../wire/content.ts'
import { decodeDeliverFrame, encodeAcknowledgement } from '../wire/deliver.ts'
import { MAX_ACKNOWLEDGED } from '../wire/limits.ts'
import { commitAnnotation } from './annotation.ts'
import { isAnnotation } from './annotation-body.ts'
import type { MainPath } from './context.ts'
import { commitControl, commitFileWord, commitOwnWord } from './controls.ts'
import type { CarriedMessage } from './envelopes.ts'
import { commitReset, isKnown, recover } from './recover.ts'
import { UNTOUCHED } from './untouched.ts'
import { shownDate } from './shown-date.ts'
import { offerOf, shownOf, type ShownBody } from './shown.ts'
import { stampWrite } from './stamps.ts'

/** Commits of one channel that may run at once (DL7): lets them share a transaction, and bounds memory. */
const MAX_COMMITTING = 256

/** Serves `/skein/deliver/1` until the channel closes. What does not verify is refused with a code that only we see. */
export async function serveDeliveries(path: MainPath, channel: Channel): Promise<void> {
  const acknowledgements = new Acknowledgements(channel)
  for await (const bytes of channel.frames()) {
    const sender = acceptedSender(path, channel)
    if (sender === undefined) return channel.close()
    path.onSignOfLife(channel.peer)
    await acknowledgements.room()
    try {
      const received = await openDelivery(path, { channel, sender, bytes })
      acknowledgements.after(received.committed, received.id)
    } catch (error) {
      refuse(path, channel, error)
    }
  }
}

/** Only a device of an accepted contact may deliver (DL2); a blocked one learns nothing and gets no acknowledgement. */
function acceptedSender(path: MainPath, channel: Channel): StoredContact | undefined {
  const contact = path.book.ownerOf(channel.peer)
  if (contact?.state === 'accepted' && !contact.blocked) return contact
  if (contact === undefined) refuse(path, channel, new SkeinError('UNKNOWN_SENDER', 'A stranger sent a message.'))
  return undefined
}

/** Not held against a sender: they tell of a lost or older state, here or there, and are bounded by the cipher's own budget. */
const STATE_CODES: readonly string[] = ['SESSION_UNKNOWN', 'PREKEY_UNKNOWN', 'KEY_USED', 'REPLAYED', 'TOO_FAR_AHEAD', 'BUDGET_SPENT']

function refuse(path: MainPath, channel: Channel, error: unknown): void {
  const code = isSkeinError(error) ? error.code : 'BAD_FRAME'
  path.logger.warn('delivery-refused', { code })
  if (!STATE_CODES.includes(code)) path.swarm.penalise(channel.peer, code)
}

interface Incoming {
  readonly channel: Channel
  readonly sender: StoredContact
  readonly bytes: Uint8Array
}

interface Accepted {
  readonly id: MessageId
  /** Resolves when the message is durable. */
  readonly committed: Promise<unknown>
}

/** Opens one delivery and starts its commit. @throws SkeinError of the parsers and of the session cipher */
async function openDelivery(path: MainPath, { channel, sender, bytes }: Incoming): Promise<Accepted> {
  const frame = decodeDeliverFrame(bytes)
  if (frame.kind !== 'delivery') throw new SkeinError('BAD_FRAME', 'An acknowledgement came where deliveries are expected.')
  const { id } = frame
  path.onArrived(channel.peer, frame.seq)
  const underWay = path.committing.get(committingKey(channel.peer, id))
  if (underWay !== undefined) return { id, committed: underWay }
  if (path.book.isOwn(sender.account)) await path.ownWordsReady()
  try {
    const pair = await path.cipher.pair(channel.peer, frame.sealed)
    // From here to the commit nothing waits: commits keep the order of the session's steps.
    const committed = commitOpened(path, { channel, sender, id, opened: pair.open() })
    return { id, committed: whileCommitting(path, committingKey(channel.peer, id), committed) }
  } catch (error) {
    if (isSkeinError(error, 'KEY_USED') && (await isKnown(path, channel.peer, id))) return { id, committed: Promise.resolve() }
    await recover(path, channel.peer, error)
    throw error
  }
}

/**
 * Takes in a message that came in an envelope; resolves when it is durable, also when it was before.
 * @param beside what goes into the commit of a message that is kept in the history
 * @throws SkeinError UNKNOWN_SENDER, and those of the parsers and of the session cipher
 */
export async function receiveCarried(
  path: MainPath,
  { sender: device, message, seq, invite }: CarriedMessage,
  beside?: (id: MessageId) => readonly StoreWrite[],
): Promise<void> {
  const sender = path.book.ownerOf(device)
  if (sender?.state !== 'accepted' || sender.blocked) throw new SkeinError('UNKNOWN_SENDER', 'An envelope is not from a contact.')
  const channel = { peer: device }
  if (path.book.isOwn(sender.account)) await path.ownWordsReady()
  try {
    const pair = await path.cipher.pair(device, message, invite)
    // From here to the commit nothing waits: commits keep the order of the session's steps.
    const opened = pair.open()
    // Not before: until it opens, sender and number are what somebody claims.
    if (seq !== undefined) path.onArrived(device, seq)
    const { id } = decodeContent(opened.content)
    await whileCommitting(
      path,
      committingKey(device, id),
      commitOpened(path, { channel, sender, id, opened, ...(beside === undefined ? {} : { beside }) }),
    )
  } catch (error) {
    // Its key went with a commit; one that is still under way may fail, and the session goes back with it.
    if (isSkeinError(error, 'KEY_USED')) return afterCommits(path, device, message)
    // What is too far ahead may only be early here.
    if (invite === undefined && !isSkeinError(error, 'TOO_FAR_AHEAD')) await recover(path, device, error)
    throw error
  }
}

/** A copy of what was opened before: durable once the commits of its sender are, unless one of them failed. */
async function afterCommits(path: MainPath, device: DeviceId, message: Uint8Array): Promise<void> {
  const underWay = [...path.committing].filter(([key]) => key.startsWith(`${device} `))
  await Promise.all(underWay.map(([, committed]) => committed))
  const pair = await path.cipher.pair(device, message)
  try {
    pair.open()
  } catch (error) {
    if (isSkeinError(error, 'KEY_USED')) return
    throw error
  }
  path.cipher.forget(device)
  throw new SkeinError('SESSION_CONFLICT', 'A message was opened and not kept; another copy will be.')
}

function committingKey(sender: DeviceId, id: MessageId): string {
  return `${sender} ${id}`
}

function whileCommitting<T>({ committing }: MainPath, key: string, committed: Promise<T>): Promise<T> {
  committing.set(key, committed)
  const over = (): unknown => committing.delete(key)
  committed.then(over, over)
  return committed
}

interface OpenedDelivery {
  readonly channel: Pick<Channel, 'peer'>
  readonly sender: StoredContact
  readonly id: MessageId
  readonly opened: OpenedContent
  readonly beside?: (id: MessageId) => readonly StoreWrite[]
}

function commitOpened(path: MainPath, { id, ...delivery }: OpenedDelivery): Promise<unknown> {
  const forget = (): void => path.cipher.forget(delivery.channel.peer)
  try {
    const content = decodeContent(delivery.opened.content)
    if (content.id !== id) throw new SkeinError('BAD_FRAME', 'A message lies under the id of another.')
    const committed = commitContent(path, { ...delivery, content })
    committed.catch(forget)
    return committed
  } catch (error) {
    forget()
    throw error
  }
}

interface OpenedMessage extends Omit<OpenedDelivery, 'id'> {
  readonly content: ContentFields
}

function commitContent(path: MainPath, { channel, sender, content, opened, beside }: OpenedMessage): Promise<unknown> {
  const { id, body } = content
  if (body.kind === 'reset') return commitReset(path, channel.peer, { id, opened })
  if (body.kind === 'control') return commitControl(path, channel.peer, { id, opened, control: body.control })
  if (body.kind === 'own' || path.book.isOwn(sender.account)) return commitOwn(path, { channel, sender, content, opened })
  if (body.kind === 'file-word') return commitFileWord(path, sender.account, { ...body, id, opened })
  const writes = [...opened.writes, ...(beside?.(id) ?? [])]
  if (isAnnotation(body)) return commitAnnotation(path, sender, { content, body, writes })
  const message = incomingMessage(path, { channel, sender, content, body })
  return commitMessage(path, message, body.kind === 'file' ? [...writes, offerOf(message, body.manifest)] : writes)
}

/** Words between own devices are taken from those alone, and nothing else from them (DV10). @throws SkeinError UNKNOWN_SENDER, BAD_FRAME */
function commitOwn(path: MainPath, { channel, sender, content, opened }: OpenedMessage): Promise<unknown> {
  const { id, body } = content
  if (body.kind !== 'own' || !path.book.isOwn(sender.account))
    throw new SkeinError('UNKNOWN_SENDER', 'A word between own devices came from somebody else, or a message from an own device.')
  return commitOwnWord(path, channel.peer, { id, opened, own: body.own })
}

async function commitMessage(path: MainPath, message: StoredMessage, writes: readonly StoreWrite[]): Promise<void> {
  const [outcome] = await path.store.commit([
    { kind: 'message.insert', message },
    ...path.owedFor(message),
    stampWrite(path.stamps),
    ...writes,
  ])
  if (outcome === 'done') path.onMessage(message)
}

interface IncomingShown {
  readonly channel: Pick<Channel, 'peer'>
  readonly sender: StoredContact
  readonly content: ContentFields
  readonly body: ShownBody
}

function incomingMessage({ clock, stamps }: MainPath, { channel, sender, content, body }: IncomingShown): StoredMessage {
  const stamp = stamps.observe({ ms: content.hlcMs, counter: content.hlcCounter })
  const now = clock.now()
  return {
    ...UNTOUCHED,
    ...shownOf(body),
    id: content.id,
    contact: sender.account,
    direction: 'in',
    seen: false,
    sender: channel.peer,
    state: 'delivered',
    reason: null,
    createdAt: shownDate(content.createdAt, now),
    hlcMs: stamp.ms,
    hlcCounter: stamp.counter,
    receivedAt: now,
    deliveredAt: now,
  }
}

/** Acknowledges what is durable, many ids in one frame. */
class Acknowledgements {
  private readonly channel: Channel
  private ready: MessageId[] = []
  private committing = 0
  private sending = false
  private roomWanted: (() => void) | undefined

  constructor(channel: Channel) {
    this.channel = channel
  }

  /** Resolves when one more commit may start. */
  async room(): Promise<void> {
    if (this.committing < MAX_COMMITTING) return
    await new Promise<void>((resolve) => {
      this.roomWanted = resolve
    })
  }

  after(committed: Promise<unknown>, id: MessageId): void {
    this.committing += 1
    committed.then(
      () => this.settle(id),
      // Not durable, so not acknowledged: the sender keeps it and tries again.
      () => this.settle(undefined),
    )
  }

  private settle(id: MessageId | undefined): void {
    this.committing -= 1
    if (id !== undefined) this.ready.push(id)
    this.roomWanted?.()
    this.roomWanted = undefined
    if (!this.sending && this.ready.length > 0) void this.flush()
  }

  private async flush(): Promise<void> {
    this.sending = true
    // Commits of one transaction settle one after the other; a turn later they are all here.
    await Promise.resolve()
    while (this.ready.length > 0) await this.channel.send(encodeAcknowledgement(this.ready.splice(0, MAX_ACKNOWLEDGED)))
    this.sending = false
  }
}
