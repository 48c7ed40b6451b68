/** Handlers for files. */
import { type FileService, MAX_THUMBNAIL_BYTES, parseMessageId, SkeinError } from '@skein/core'
import { base64 } from '@scure/base'
import type { Uploads } from '../../files/uploads.ts'
import type { Client } from '../assemble.ts'
import { decoded } from './decoded.ts'
import { os } from './procedures.ts'
import { transferView } from './views.ts'

/** @throws SkeinError USAGE where this client has no place for files */
const filesOf = ({ messenger }: Client): Promise<FileService> => messenger.transfers.open()

/** @throws SkeinError USAGE in a browser, which reads what its user has chosen itself */
function uploadsOf({ uploads }: Client): Uploads {
  if (uploads === undefined) throw new SkeinError('USAGE', 'This client reads files itself: name them.')
  return uploads
}

/** @throws SkeinError USAGE */
function pictureOf(text: string): Uint8Array {
  const picture = decoded(text)
  if (picture.length > MAX_THUMBNAIL_BYTES) throw new SkeinError('USAGE', `A thumbnail has at most ${MAX_THUMBNAIL_BYTES} bytes.`)
  return picture
}

export const fileHandlers = {
  sendFiles: os.sendFiles.handler(async ({ context: { client }, input: { contacts, paths, thumbnail } }) => {
    const offer = async (named: readonly string[]) => {
      const recipients = [...new Set(contacts.map((text) => client.messenger.book.find(text)))]
      return (await filesOf(client)).send(recipients, named, thumbnail === undefined ? undefined : pictureOf(thumbnail))
    }
    const sent = await (client.uploads === undefined ? offer(paths) : client.uploads.hand(paths, offer))
    return { transfers: sent.map((each) => transferView(client.messenger, each)) }
  }),
  sendStream: os.sendStream.handler(async function* ({ context: { client }, input: { contacts, path }, signal }) {
    const recipients = [...new Set(contacts.map((text) => client.messenger.book.find(text)))]
    const { streams } = await filesOf(client)
    const sent = await streams.offer(recipients, path)
    const ids = sent.map(({ id }) => id)
    // Whatever becomes of the answers. What cannot be kept now is broken off at the next start.
    const over = streams.over(ids, signal ?? new AbortController().signal).finally(() => streams.breakOff(ids))
    const settled = over.catch(() => undefined)
    yield { transfers: sent.map((each) => transferView(client.messenger, each)) }
    await settled
  }),
  grown: os.grown.handler(async ({ context: { client }, input: { transfers, ...grown } }) => {
    await (await filesOf(client)).streams.grow(transfers.map(parseMessageId), grown)
    return {}
  }),
  upload: os.upload.handler(async ({ context: { client }, input: { names, upload } }) => ({
    upload: await uploadsOf(client).begin(names, upload),
  })),
  uploadPart: os.uploadPart.handler(async ({ context: { client }, input: { upload, file, part } }) => {
    await uploadsOf(client).write(upload, file, decoded(part))
    return {}
  }),
  endUpload: os.endUpload.handler(async ({ context: { client }, input: { upload } }) => {
    await uploadsOf(client).end(upload)
    return {}
  }),
  transfers: os.transfers.handler(async ({ context: { client } }) => ({
    transfers: (await filesOf(client)).list().map((each) => transferView(client.messenger, each)),
  })),
  thumbnail: os.thumbnail.handler(async ({ context: { client }, input: { transfer } }) => {
    const picture = (await filesOf(client)).thumbnail(parseMessageId(transfer))
    return { thumbnail: picture === undefined ? null : base64.encode(picture) }
  }),
  received: os.received.handler(async ({ context: { client }, input: { transfer, offset } }) => {
    const { state, direction, entries, path, total } = (await filesOf(client)).get(parseMessageId(transfer))
    const isFile = state === 'done' && direction === 'in' && entries === 0
    if (client.readPart === undefined || !isFile || path === null) throw new SkeinError('USAGE', 'This is no file that was received here.')
    return { part: base64.encode(await client.readPart({ path, total, offset })) }
  }),
  accept: os.accept.handler(async ({ context: { client }, input: { transfer, folder } }) =>
    transferView(client.messenger, await (await filesOf(client)).accept(parseMessageId(transfer), folder)),
  ),
  pause: os.pause.handler(async ({ context: { client }, input }) =>
    transferView(client.messenger, await (await filesOf(client)).pause(parseMessageId(input.transfer))),
  ),
  resume: os.resume.handler(async ({ context: { client }, input }) =>
    transferView(client.messenger, await (await filesOf(client)).resume(parseMessageId(input.transfer))),
  ),
  end: os.end.handler(async ({ context: { client }, input }) =>
    transferView(client.messenger, await (await filesOf(client)).cancel(parseMessageId(input.transfer))),
  ),
  removeReceived: os.removeReceived.handler(async ({ context: { client }, input }) =>
    transferView(client.messenger, await (await filesOf(client)).removeReceived(parseMessageId(input.transfer))),
  ),
  autoAccept: os.autoAccept.handler(async ({ context: { client }, input: { contact, auto } }) => {
    const { account } = client.messenger.book.find(contact)
    const files = await filesOf(client)
    if (auto !== undefined) await files.setAutoAccept(account, auto === null ? null : { maxBytes: auto.max_bytes, folder: auto.folder })
    const now = await files.autoAccept(account)
    return { contact: account, auto: now === null ? null : { max_bytes: now.maxBytes, folder: now.folder } }
  }),
  transferRate: os.transferRate.handler(async ({ context: { client }, input: { rate } }) => {
    const files = await filesOf(client)
    if (rate !== undefined) await files.setRate(rate)
    return { rate: files.rate }
  }),
}
