/** What the status bar says of mail: what waits here, what lies elsewhere, and whether others can leave some. */
import { Mailbox } from 'lucide-react'
import { useState } from 'react'
import { useModel } from '../client/context.tsx'
import { mailboxState, mailOf } from '../client/mail.ts'
import { useObservable } from '../client/observable.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { describeMail } from './describe-mail.ts'
import { MailDialog } from './lazy.ts'

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
