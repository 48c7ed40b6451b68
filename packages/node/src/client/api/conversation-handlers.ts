/** Handlers for what people do with messages that are there. */
import { base64 } from '@scure/base'
import { parseMessageId } from '@skein/core'
import { os } from './procedures.ts'
import { historyView } from './views.ts'

export const conversationHandlers = {
  share: os.share.handler(async ({ context: { client }, input }) => {
    const { book } = client.messenger
    const { account, claimedName, petname } = book.find(input.shared)
    const name = claimedName === '' ? petname : claimedName
    return { message: historyView(await client.messenger.send(book.find(input.contact), { kind: 'contact', account, name })) }
  }),
  react: os.react.handler(async ({ context: { client }, input: { id, emoji } }) => {
    const body = { kind: 'reaction', target: parseMessageId(id), emoji } as const
    return { message: historyView(await client.messenger.conversation.annotate(body)) }
  }),
  edit: os.edit.handler(async ({ context: { client }, input: { id, text } }) => {
    const body = { kind: 'edit', target: parseMessageId(id), text } as const
    return { message: historyView(await client.messenger.conversation.annotate(body)) }
  }),
  remove: os.remove.handler(async ({ context: { client }, input: { id } }) => {
    const body = { kind: 'deletion', target: parseMessageId(id) } as const
    return { message: historyView(await client.messenger.conversation.annotate(body)) }
  }),
  timer: os.timer.handler(async ({ context: { client }, input: { contact: wanted, after_ms: after } }) => {
    const { messenger } = client
    const contact = messenger.book.find(wanted)
    if (after !== undefined) await messenger.send(contact, { kind: 'timer', disappearAfterMs: after })
    return { contact: contact.account, disappear_after_ms: await messenger.conversation.disappearAfter(contact.account) }
  }),
  deleteConversation: os.deleteConversation.handler(async ({ context: { client }, input }) => {
    const { account } = client.messenger.book.find(input.contact)
    await client.messenger.conversation.clear(account)
    return { contact: account }
  }),
  typing: os.typing.handler(async ({ context: { client }, input }) => {
    await client.messenger.conversation.tellTyping(client.messenger.book.find(input.contact), input.active)
    return {}
  }),
  backup: os.backup.handler(async function* ({ context: { client }, input: { passphrase } }): AsyncGenerator<{ part: string }, void> {
    const reader = (await client.backup(passphrase)).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield { part: base64.encode(value) }
    }
  }),
  search: os.search.handler(async ({ context: { client }, input: { query, contact, before, limit } }) => {
    const { book, conversation } = client.messenger
    const found = await conversation.search(query, {
      ...(contact === undefined ? {} : { contact: book.find(contact).account }),
      ...(before === undefined ? {} : { before: parseMessageId(before) }),
      ...(limit === undefined ? {} : { limit }),
    })
    return {
      messages: found.map((message) => ({
        ...historyView(message),
        contact: message.contact,
        name: book.get(message.contact)?.petname ?? '',
      })),
    }
  }),
}
