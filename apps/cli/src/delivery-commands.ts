/** Commands about mail on its way. */
import { SkeinError } from '@skein/core'
import type { StatesView } from '@skein/node/api'
import { duration, type Session, TICK, time, withApi } from './commands.ts'
import { oneLine } from './terminal-text.ts'

const HOLDS = {
  blocked: 'the contact is blocked',
  'not-accepted': 'waits until both of you are contacts',
  'keys-changed': 'devices or keys have changed: skein verify',
  'no-keys': 'no key of this device is known yet',
  'no-path': 'nobody is in reach who could take it',
  'no-tokens': 'no token is left for their mailbox: they hand out more when you meet',
  'mailbox-full': 'their mailbox is full',
  'clock-wrong': 'their mailbox refuses the date: is the clock of this device right? skein status',
  'mailbox-away': 'their mailbox does not answer',
} as const

export interface OutboxOptions {
  readonly retry?: string
  readonly cancel?: string
  readonly expire?: string
}

export const outbox = (session: Session, id: string | undefined, { retry, cancel, expire }: OutboxOptions): Promise<number> => {
  if ([id, retry, cancel].filter((each) => each !== undefined).length > 1)
    throw new SkeinError('USAGE', 'A message alone, --retry or --cancel: one of them.')
  if (expire !== undefined && retry === undefined) throw new SkeinError('USAGE', '--expire stands beside --retry alone.')
  const limit = expire === undefined ? {} : { expire_ms: duration(expire) }
  return withApi(session, async (api) => {
    if (id !== undefined) {
      showStates(session, await api.states({ id }))
      return
    }
    if (retry !== undefined || cancel !== undefined) {
      const { message } = retry === undefined ? await api.cancel({ id: cancel ?? '' }) : await api.retry({ id: retry, ...limit })
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
}

function showStates(session: Session, states: StatesView): void {
  const lines = states.devices.map(({ device, state, reason, at }) => {
    const why = reason === null ? '' : ` (${oneLine(reason)})`
    return `${TICK[state]} ${state}${why}  ${oneLine(device)}${at === null ? '' : `  ${time(at)}`}`
  })
  session.output.result(states, lines.join('\n') || whoKnows(states))
}

/** Where nothing is known here of single devices. */
export function whoKnows({ sent_by: sender }: Pick<StatesView, 'sent_by'>): string {
  if (sender === null || sender.here) return 'Of single devices nothing is known.'
  if (sender.name === null) return 'A device that is yours no more has sent it; of single devices nothing is known.'
  return `Your device ${oneLine(sender.name) || oneLine(sender.device)} has sent it, and knows more.`
}

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
