/** What may keep this client from others: what `skein doctor` says. */
import type { DoctorView } from '@skein/node/browser'
import { CircleAlert, CircleCheck } from 'lucide-react'
import { useState } from 'react'
import { useClient } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function Diagnosis() {
  const { network: words } = useRareStrings()
  const { api } = useClient()
  const [found, setFound] = useState<DoctorView>()
  const { busy, problem, run } = useAction()
  const look = (): void => void run(async () => setFound(await api?.doctor()))
  return (
    <Section title={words.diagnosis}>
      <ul className="grid gap-2">
        {found?.checks.map(({ name, ok, detail }) => (
          <li key={name} className="flex gap-2">
            {ok ? (
              <CircleCheck aria-label={words.fine} size={18} className="mt-1 shrink-0 text-good" />
            ) : (
              <CircleAlert aria-label={words.amiss} size={18} className="mt-1 shrink-0 text-danger" />
            )}
            <span lang="en" className="foreign min-w-0">
              <span className="font-medium">{name}</span>: {detail}
            </span>
          </li>
        ))}
      </ul>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <Button disabled={busy || api === undefined} onClick={look}>
        {busy ? words.checking : words.check}
      </Button>
    </Section>
  )
}
