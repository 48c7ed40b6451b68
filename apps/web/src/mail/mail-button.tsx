/** What the status bar says of mail: what waits here, what lies elsewhere, and whether others can leave some. */
import { Mailbox } from 'lucide-react'
import { useState } from 'react'
import { useModel } from '../client/context.tsx'
import { countMail, mailOf, type MailSnapshot, mailboxState } from '../client/mail.ts'
import { useObservable } from '../client/observable.ts'
import type { RareStrings } from '../strings/rare-en.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { MailDialog } from './lazy.ts'

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

export function MailButton() {
  const strings = useRareStrings()
  const { mail: words } = strings
  const mail = useObservable(mailOf(useModel()))
  const [isOpen, setOpen] = useState(false)
  if (mail.mailboxes === undefined) return null
  const text = describeMail(strings, mail)
  const state = mailboxState(mail.mailboxes)
  return (
    <>
      <button
        type="button"
        onClick={() => setOpen(true)}
        title={words.open}
        data-mail={state}
        className="-my-1 flex min-h-8 min-w-0 items-center gap-2 rounded-lg px-1 text-quiet hover:bg-page"
      >
        <Mailbox aria-hidden="true" size={16} className={state === 'ready' ? '' : 'text-danger'} />
        <span className="sr-only">{words.open}: </span>
        {text === '' ? <span className="sr-only">{words.ready}</span> : <span className="min-w-0 text-start">{text}</span>}
      </button>
      {isOpen ? <MailDialog onClose={() => setOpen(false)} /> : null}
    </>
  )
}
