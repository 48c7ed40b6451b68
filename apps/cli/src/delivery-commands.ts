/** Commands about mail on its way. */
import { SkeinError } from '@skein/core'
import { type Session, TICK, withApi } from './commands.ts'
import { oneLine } from './terminal-text.ts'

const HOLDS = {
  blocked: 'the contact is blocked',
  'not-accepted': 'waits until both of you are contacts',
  'keys-changed': 'devices or keys have changed: skein verify',
  'no-keys': 'no key of this device is known yet',
  'no-path': 'nobody is in reach who could take it',
  'no-tokens': 'no token is left for their mailbox: they hand out more when you meet',
  'mailbox-full': 'their mailbox is full',
  'mailbox-away': 'their mailbox does not answer',
} as const

export const outbox = (session: Session, { retry, cancel }: { retry?: string; cancel?: string }): Promise<number> =>
  withApi(session, async (api) => {
    if (retry !== undefined && cancel !== undefined) throw new SkeinError('USAGE', '--retry cannot stand beside --cancel.')
    if (retry !== undefined || cancel !== undefined) {
      const { message } = retry === undefined ? await api.cancel({ id: cancel ?? '' }) : await api.retry({ id: retry })
      session.output.result(message, `${TICK[message.state]} ${message.state}`)
      return
    }
    const listed = await api.outbox()
    const lines = listed.outbox.map((each) => {
      const why = each.hold === null ? each.carriers.map(oneLine).join(', ') : HOLDS[each.hold]
      return `${TICK[each.state]} ${oneLine(each.name)}  ${each.id}  ${why}`
    })
    session.output.result(listed, lines.join('\n') || 'Nothing waits on this device.')
  })

export const mailbox = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const listed = await api.mailbox()
    const lines = listed.mailboxes.map((each) => `${each.watching ? '●' : '○'} ${oneLine(each.url)}  ${each.tokens} tokens`)
    session.output.result(listed, lines.join('\n') || 'You have no mailbox: no relay is configured, or mail is off.')
  })

export const seen = (session: Session, contact: string, id?: string): Promise<number> =>
  withApi(session, async (api) => {
    const last = id ?? (await api.history({ contact, limit: 1 })).messages[0]?.id
    const { unread } = last === undefined ? { unread: 0 } : await api.seen({ contact, id: last })
    session.output.result({ unread }, unread === 0 ? 'Everything is seen.' : `${unread} not seen.`)
  })
