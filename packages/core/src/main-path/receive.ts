/** The way of a message in: limit → parse → dedupe → open → commit → acknowledge. */
import { isSkeinError, SkeinError } from '../errors/index.ts'
import type { MessageId } from '../ids.ts'
import type { Channel } from '../ports/swarm.ts'
import type { StoredContact, StoredMessage } from '../ports/store.ts'
import { type ContentFields, decodeContent } from '../wire/content.ts'
import { decodeDeliverFrame, encodeAcknowledgement } from '../wire/deliver.ts'
import { MAX_ACKNOWLEDGED } from '../wire/limits.ts'
import type { MainPath } from './context.ts'
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

function refuse(path: MainPath, channel: Channel, error: unknown): void {
  const code = isSkeinError(error) ? error.code : 'BAD_FRAME'
  path.logger.warn('delivery-refused', { code })
  path.swarm.penalise(channel.peer, code)
}

interface Incoming {
  readonly channel: Channel
  readonly sender: StoredContact
  readonly bytes: Uint8Array
}

/** Opens one delivery and starts its commit. @throws SkeinError of the parsers and of the session cipher */
async function openDelivery(path: MainPath, { channel, sender, bytes }: Incoming): Promise<{ id: MessageId; committed: Promise<void> }> {
  const frame = decodeDeliverFrame(bytes)
  if (frame.kind !== 'delivery') throw new SkeinError('BAD_FRAME', 'An acknowledgement came where deliveries are expected.')
  const opened = await path.cipher.open(channel.peer, frame.sealed)
  const message = incomingMessage(path, { id: frame.id, channel, sender, content: decodeContent(opened.content) })
  const commit = path.store.commit([{ kind: 'message.insert', message }, stampWrite(path.stamps), ...opened.writes])
  return { id: frame.id, committed: commit.then(([outcome]) => (outcome === 'done' ? path.onMessage(message) : undefined)) }
}

interface Opened {
  readonly id: MessageId
  readonly channel: Channel
  readonly sender: StoredContact
  readonly content: ContentFields
}

function incomingMessage({ clock, stamps }: MainPath, { id, channel, sender, content }: Opened): StoredMessage {
  const stamp = stamps.observe({ ms: content.hlcMs, counter: content.hlcCounter })
  const now = clock.now()
  return {
    id,
    contact: sender.account,
    direction: 'in',
    sender: channel.peer,
    text: content.text,
    state: 'delivered',
    reason: null,
    createdAt: content.createdAt,
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

  after(committed: Promise<void>, id: MessageId): void {
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
