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
  const { network: words, doctor } = useRareStrings()
  const names: Readonly<Record<string, string>> = doctor.names
  const { api } = useClient()
  const [found, setFound] = useState<DoctorView>()
  const { busy, problem, run } = useAction()
  const look = (): void => void run(async () => setFound(await api?.doctor()))
  return (
    <Section title={words.diagnosis}>
      <ul className="grid gap-2">
        {found?.checks.map(({ name, ok, detail, code, about }) => (
          <li key={name} className="flex gap-2">
            {ok ? (
              <CircleCheck aria-label={words.fine} size={18} className="mt-1 shrink-0 text-good" />
            ) : (
              <CircleAlert aria-label={words.amiss} size={18} className="mt-1 shrink-0 text-danger" />
            )}
            <span className="foreign min-w-0">
              <span className="font-medium">{names[code.startsWith('relay-') ? 'relay' : name] ?? name}</span>:{' '}
              {sayIn(doctor.says, code, about) ?? <span lang="en">{detail}</span>}
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

type Say = string | ((about: string) => string)

/** `undefined` for what a newer client found, which this page has no words for. */
function sayIn(words: Readonly<Record<string, Say>>, code: string, about: string): string | undefined {
  const say = Object.hasOwn(words, code) ? words[code] : undefined
  return typeof say === 'function' ? say(about) : say
}
