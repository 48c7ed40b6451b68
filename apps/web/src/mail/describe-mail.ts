import { countMail, type MailSnapshot, mailboxState } from '../client/mail.ts'
import type { RareStrings } from '../strings/rare-en.ts'

/** In few words, the most pressing first; a mailbox that does its work is not worth any. */
export function describeMail({ mail: words }: RareStrings, { outbox, mailboxes }: MailSnapshot): string {
  const { waiting, atRelay, carried } = countMail(outbox)
  const state = mailboxes === undefined ? 'ready' : mailboxState(mailboxes)
  return [
    ...(waiting > 0 ? [words.waiting(waiting)] : []),
    ...(atRelay > 0 ? [words.atRelay(atRelay)] : []),
    ...(carried > 0 ? [words.carried(carried)] : []),
    ...(state === 'ready' ? [] : [words[state]]),
  ].join(' · ')
}
