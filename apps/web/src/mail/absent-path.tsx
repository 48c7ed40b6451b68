/** Where the messages for somebody lie with whom this device is not in touch now. */
import { useModel, useStrings } from '../client/context.tsx'
import { mailFor, mailOf } from '../client/mail.ts'
import { useObservable } from '../client/observable.ts'
import { PathLine } from '../shell/status-bar.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function AbsentPath({ contact }: { readonly contact: string }) {
  const { status } = useStrings()
  const { mail: words } = useRareStrings()
  const { outbox } = useObservable(mailOf(useModel()))
  const held = mailFor(outbox, contact)
  if (held === 'here') return <PathLine path="none" text={words.waitsHere} />
  return <PathLine path={held} text={status.path[held]} />
}
