/** How long the messages of a conversation stay after reading. */
import { useEffect, useState } from 'react'
import { useDuration } from '../chats/message-body.tsx'
import { useClient } from '../client/context.tsx'
import { SelectField } from '../ui/field.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const CHOICES = [30_000, 300_000, 3_600_000, 86_400_000, 604_800_000] as const

export function TimerField({ contact }: { readonly contact: string }) {
  const { aboutPeople } = useRareStrings()
  const { api } = useClient()
  const duration = useDuration()
  const { busy, problem, run } = useAction()
  const [after, setAfter] = useState<number | null>()
  useEffect(() => {
    api?.timer({ contact }).then(
      (now) => setAfter(now.disappear_after_ms),
      () => undefined,
    )
  }, [api, contact])
  if (after === undefined) return null
  const choose = (next: number | null): void =>
    void run(async () => setAfter((await api?.timer({ contact, after_ms: next }))?.disappear_after_ms ?? null))
  const choices = after === null || CHOICES.some((each) => each === after) ? CHOICES : [after, ...CHOICES]
  return (
    <SelectField
      label={aboutPeople.timer}
      hint={problem ?? aboutPeople.timerHint}
      disabled={busy}
      value={String(after ?? '')}
      onChange={(event) => choose(event.target.value === '' ? null : Number(event.target.value))}
    >
      <option value="">{aboutPeople.timerOff}</option>
      {choices.map((each) => (
        <option key={each} value={each}>
          {duration(each)}
        </option>
      ))}
    </SelectField>
  )
}
