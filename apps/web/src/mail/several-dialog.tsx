/** One text to several people, each in a conversation of their own: a new one, or one that is forwarded. */
import { useEffect, useState } from 'react'
import { useClient, useModel } from '../client/context.tsx'
import { sendOnce } from '../client/send-once.ts'
import { ExpiryField } from '../settings/delivery.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextArea } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Recipients } from '../ui/recipients.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const TIMEOUT_MS = 10_000

export interface SeveralDialogProps {
  readonly title: string
  /** What is forwarded. */
  readonly text?: string
  /** Who is chosen from the beginning. */
  readonly to?: string
  onClose(): void
}

export function SeveralDialog({ title, text: given = '', to, onClose }: SeveralDialogProps) {
  const { delivery: words } = useRareStrings()
  const { conversations = [] } = useClient()
  const [text, setText] = useState(given)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(to === undefined ? [] : [to]))
  const [expireMs, setExpireMs] = useState<number>()
  const usual = useUsualExpiry()
  const { busy, problem, unsent, isDone, send } = useSending({ text, expireMs })
  const people = conversations.filter(({ state, blocked }) => state === 'accepted' && !blocked)
  const missed = people.filter(({ contact }) => unsent.has(contact)).map(({ name }) => name)
  const submit = async (): Promise<void> => setChosen(await send(chosen))
  if (people.length === 0)
    return (
      <Dialog title={title} onClose={onClose}>
        <p>{words.nobody}</p>
      </Dialog>
    )
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        className="grid grid-cols-1 gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <TextArea label={words.text} dir="auto" value={text} required onChange={(event) => setText(event.target.value)} />
        <Recipients label={words.to} people={people} chosen={chosen} onChange={setChosen} />
        {usual === undefined ? null : <ExpiryField label={words.expiry} value={expireMs ?? usual} onChange={setExpireMs} />}
        {missed.length === 0 ? null : (
          <Note look="danger">
            {words.notSent(missed.join(', '))} {problem}
          </Note>
        )}
        {isDone ? <Note look="good">{words.sent}</Note> : null}
        <Button type="submit" look="main" disabled={busy || chosen.size === 0 || text.trim() === ''}>
          {words.sendTo(chosen.size)}
        </Button>
      </form>
    </Dialog>
  )
}

/** As set for all messages, ms. */
function useUsualExpiry(): number | undefined {
  const { api } = useClient()
  const [usual, setUsual] = useState<number>()
  useEffect(() => {
    api?.settings().then(
      (known) => setUsual(known.expireMs),
      () => undefined,
    )
  }, [api])
  return usual
}

interface Wanted {
  readonly text: string
  /** As set for all messages when it is left out. */
  readonly expireMs: number | undefined
}

/** Each gets it once: what fails for one is not sent again to the others. */
function useSending({ text, expireMs }: Wanted) {
  const model = useModel()
  const [unsent, setUnsent] = useState<ReadonlySet<string>>(new Set())
  const [isDone, setDone] = useState(false)
  const { busy, problem, run } = useAction()
  const send = async (contacts: ReadonlySet<string>): Promise<ReadonlySet<string>> => {
    const failed = new Set(contacts)
    const expiry = expireMs === undefined ? {} : { expire_ms: expireMs }
    setDone(false)
    setUnsent(new Set())
    const sendTo = async (contact: string): Promise<void> => {
      await sendOnce(model, { contacts: [contact], text, wait: 'queued', timeout_ms: TIMEOUT_MS, ...expiry })
      failed.delete(contact)
    }
    await run(async () => {
      const outcomes = await Promise.allSettled([...contacts].map(sendTo))
      const refused = outcomes.find((each) => each.status === 'rejected')
      if (refused !== undefined) throw refused.reason
    })
    setUnsent(failed)
    setDone(failed.size === 0)
    return failed
  }
  return { busy, problem, unsent, isDone, send }
}
