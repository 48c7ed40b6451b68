/** Commands about messages that are there. */
import { SkeinError } from '@skein/core'
import type { ApiClient, HistoryMessage } from '@skein/node/api'
import { parseDuration } from './arguments.ts'
import { type Session, withApi } from './commands.ts'
import { shownMessage } from './shown-message.ts'
import { oneLine } from './terminal-text.ts'

const shown = (session: Session, work: (api: ApiClient) => Promise<{ readonly message: HistoryMessage }>): Promise<number> =>
  withApi(session, async (api) => {
    const { message } = await work(api)
    session.output.result(message, shownMessage(message))
  })

export const react = (session: Session, id: string, emoji: string | undefined): Promise<number> =>
  shown(session, (api) => api.react({ id, emoji: emoji ?? '' }))

export const edit = (session: Session, id: string, text: string): Promise<number> => shown(session, (api) => api.edit({ id, text }))

export const remove = (session: Session, id: string): Promise<number> => shown(session, (api) => api.remove({ id }))

export const deleteConversation = (session: Session, contact: string): Promise<number> =>
  withApi(session, async (api) => {
    const deleted = await api.deleteConversation({ contact })
    session.output.result(deleted, 'The conversation is deleted on your devices. Your contact keeps theirs.')
  })

export const share = (session: Session, contact: string, shared: string): Promise<number> =>
  shown(session, (api) => api.share({ contact, shared }))

export const timer = (session: Session, contact: string, after: string | undefined): Promise<number> =>
  withApi(session, async (api) => {
    const set = await api.timer({ contact, ...(after === undefined ? {} : { after_ms: afterMs(after) }) })
    const { disappear_after_ms: now } = set
    session.output.result(set, now === null ? 'Messages stay.' : `Messages disappear ${now / 1_000} s after reading.`)
  })

function afterMs(text: string): number | null {
  const after = text === 'off' ? null : parseDuration(text)
  if (after === undefined || (after !== null && after < 1_000))
    throw new SkeinError('USAGE', `«${text}» is no time to keep messages for; write 30s, 5m, 2h, 7d or off.`)
  return after
}

export const search = (session: Session, query: string, options: { in?: string; before?: string; limit?: string }): Promise<number> =>
  withApi(session, async (api) => {
    const limit = options.limit === undefined ? undefined : Number(options.limit)
    if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
      throw new SkeinError('USAGE', '--limit takes a whole number from 1.')
    const found = await api.search({
      query,
      ...(options.in === undefined ? {} : { contact: options.in }),
      ...(options.before === undefined ? {} : { before: options.before }),
      ...(limit === undefined ? {} : { limit }),
    })
    const lines = found.messages.map(
      (each) =>
        `${new Date(each.created_at).toLocaleString()}  ${oneLine(each.name)} ${each.direction === 'in' ? '←' : '→'} ${shownMessage(each)}`,
    )
    session.output.result(found, lines.join('\n') || 'Nothing was found.')
  })
