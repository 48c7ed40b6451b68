/** How long the messages of a conversation stay after reading. */
import { useEffect, useState } from 'react'
import { useClient } from '../client/context.tsx'
import { LengthField } from '../ui/length-field.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const USUAL = [30_000, 300_000, 3_600_000, 86_400_000, 604_800_000] as const

export function TimerField({ contact }: { readonly contact: string }) {
  const { aboutPeople } = useRareStrings()
  const { api } = useClient()
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
  return (
    <LengthField
      label={aboutPeople.timer}
      hint={problem ?? aboutPeople.timerHint}
      usual={USUAL}
      none={aboutPeople.timerOff}
      disabled={busy}
      value={after}
      onChange={choose}
    />
  )
}
