/** How messages go: how long they are tried, and whether others learn that they were read. */
import type { SettingsView } from '@skein/node/browser'
import { useState } from 'react'
import { useClient, useStrings } from '../client/context.tsx'
import { LengthField } from '../ui/length-field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { Toggle } from '../ui/toggle.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

type Change = Partial<Pick<SettingsView, 'readReceipts' | 'expireMs'>>

export function DeliverySection({ known }: { readonly known: SettingsView }) {
  const { general } = useStrings()
  const { delivery, settings } = useRareStrings()
  const { api } = useClient()
  const [{ readReceipts, expireMs }, setShown] = useState<Pick<SettingsView, 'readReceipts' | 'expireMs'>>(known)
  const [saved, setSaved] = useState<{ readonly applied: boolean }>()
  const { problem, run } = useAction()
  const change = (wanted: Change): void =>
    void run(async () => {
      const now = await api?.configure(wanted)
      if (now === undefined) return
      setShown(now)
      setSaved(now)
    })
  return (
    <Section title={delivery.title}>
      <Toggle label={delivery.readReceipts} checked={readReceipts} onChange={(wanted) => change({ readReceipts: wanted })} />
      <p className="text-sm text-quiet">{delivery.readReceiptsHint}</p>
      <ExpiryField
        label={delivery.expiry}
        hint={delivery.expiryHint}
        value={expireMs}
        onChange={(wanted) => change({ expireMs: wanted })}
      />
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {saved === undefined ? null : (
        <Note look="good">
          {general.saved} {saved.applied ? '' : settings.laterApplied}
        </Note>
      )}
    </Section>
  )
}

const HOUR_MS = 3_600_000
const USUAL = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS, 30 * 24 * HOUR_MS, 365 * 24 * HOUR_MS] as const

export interface ExpiryFieldProps {
  readonly label: string
  readonly hint?: string
  /** Milliseconds. */
  readonly value: number
  onChange(ms: number): void
}

/** After how long a message is given up. */
export function ExpiryField({ onChange, ...rest }: ExpiryFieldProps) {
  return <LengthField {...rest} usual={USUAL} onChange={(ms) => (ms === null ? undefined : onChange(ms))} />
}
