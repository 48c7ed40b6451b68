/** Becoming another device of an account, by the link that one of its devices shows. */
import type { JoinStep } from '@skein/node/browser'
import { useState } from 'react'
import { QrScanner } from '../add/lazy.ts'
import { useClient } from '../client/context.tsx'
import { keep, KEYS } from '../client/kept.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { Digits } from './digits.tsx'
import { useEnding } from './use-ending.ts'

/** Characters; what is longer is no link (the API's own limit). */
const MAX_LINK = 400

/** @param known link that the page was opened with */
export function JoinForm({ known = '' }: { readonly known?: string }) {
  const { devices: words } = useRareStrings()
  const { api } = useClient()
  const [link, setLink] = useState(known)
  const [step, setStep] = useState<JoinStep>()
  const { busy, problem, run } = useAction(words.problems)
  const begin = useEnding()
  const join = (): void => {
    const signal = begin()
    setStep(undefined)
    void run(async () => {
      if (api === undefined) return
      for await (const next of await api.join({ link: link.trim() }, { signal })) {
        // Another account from now on, by the user's own wish.
        if (next.state === 'linked') keep(KEYS.account, next.account)
        setStep(next)
      }
    })
  }
  const isDone = step?.state === 'linked'
  return (
    <form
      className="grid grid-cols-1 gap-3"
      onSubmit={(event) => {
        event.preventDefault()
        join()
      }}
    >
      <p>{words.joinText}</p>
      <TextField label={words.joinLabel} value={link} dir="ltr" spellCheck={false} onChange={(event) => setLink(event.target.value)} />
      {known === '' && !busy ? <QrScanner onFound={(text) => setLink(text.slice(0, MAX_LINK))} /> : null}
      {problem === undefined || isDone ? null : <Note look="danger">{problem}</Note>}
      {step?.state === 'compare' && busy ? (
        <div role="status" className="grid gap-2">
          <p>{words.compareHere}</p>
          <Digits code={step.code} />
        </div>
      ) : null}
      {isDone ? <Note look="good">{words.joined}</Note> : null}
      <Button type="submit" look="main" disabled={busy || api === undefined || link.trim() === ''}>
        {words.joinNow}
      </Button>
    </form>
  )
}
