/** The devices of the account: who they are, a new one, and one that goes. */
import type { DeviceView, LinkStep } from '@skein/node/browser'
import { useCallback, useEffect, useState } from 'react'
import { QrImage } from '../add/qr-image.tsx'
import { useClient, useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { Digits } from './digits.tsx'
import { JoinForm } from './join-form.tsx'
import { useEnding } from './use-ending.ts'

/** Who is reachable changes by itself. */
const LOOK_EVERY_MS = 5_000

export function DevicesSection() {
  const { devices: words } = useRareStrings()
  const { api } = useClient()
  const [known, setKnown] = useState<{ readonly devices: readonly DeviceView[]; readonly revoked: boolean }>()
  const look = useCallback(() => void api?.devices().then(setKnown, () => undefined), [api])
  useEffect(() => {
    look()
    const timer = setInterval(look, LOOK_EVERY_MS)
    return () => clearInterval(timer)
  }, [look])
  return (
    <Section title={words.title}>
      <p className="text-quiet">{words.text}</p>
      {known?.revoked ? <Note look="danger">{words.revokedHere}</Note> : null}
      <ul className="grid gap-2">
        {known?.devices.map((each) => (
          <Device key={each.device} device={each} onChanged={look} />
        ))}
      </ul>
      {known === undefined || known.revoked ? null : <LinkNew onChanged={look} />}
      {known?.devices.length === 1 && !known.revoked ? <Join /> : null}
    </Section>
  )
}

function Device({ device, onChanged }: { readonly device: DeviceView; onChanged(): void }) {
  const { devices: words } = useRareStrings()
  const { general } = useStrings()
  const { api } = useClient()
  const [isAsked, setAsked] = useState(false)
  const { busy, problem, run } = useAction(words.problems)
  const name = device.name === '' ? words.unnamed : device.name
  const revoke = (): void => void run(async () => api?.revokeDevice({ device: device.device })).then(onChanged)
  return (
    <li className="grid gap-2 rounded-lg border border-line p-3">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="foreign min-w-0">
          {name} <span className="text-sm text-quiet">{device.here ? words.here : device.online ? words.online : words.away}</span>
        </span>
        {device.here || isAsked ? null : (
          <Button look="danger" aria-label={`${words.revoke}: ${name}`} onClick={() => setAsked(true)}>
            {words.revoke}
          </Button>
        )}
      </div>
      <code className="foreign text-sm text-quiet">{device.device}</code>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {isAsked ? (
        <div className="flex flex-wrap gap-2">
          <Button look="danger" disabled={busy} onClick={revoke}>
            {words.revokeSure(name)}
          </Button>
          <Button onClick={() => setAsked(false)}>{general.cancel}</Button>
        </div>
      ) : null}
    </li>
  )
}

function LinkNew({ onChanged }: { onChanged(): void }) {
  const { devices: words } = useRareStrings()
  const { general } = useStrings()
  const { api } = useClient()
  const [step, setStep] = useState<LinkStep>()
  const { busy, problem, run } = useAction(words.problems)
  const begin = useEnding()
  const start = (): void => {
    const signal = begin()
    void run(async () => {
      if (api === undefined) return
      for await (const next of await api.link(undefined, { signal })) {
        setStep(next)
        if (next.state === 'failed') throw Object.assign(new Error(next.message), { code: next.code, name: 'SkeinError' })
      }
      onChanged()
    })
  }
  const decide = (accept: boolean): void => void api?.decide({ accept }).catch(() => undefined)
  return (
    <>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {step?.state === 'linked' ? <Note look="good">{words.linked}</Note> : null}
      {busy && step?.state === 'waiting' ? (
        <>
          <p>{words.linkText}</p>
          <QrImage text={step.link} label={words.qr} />
          <TextField label={words.linkLabel} value={step.link} readOnly dir="ltr" />
          <div className="flex flex-wrap gap-2">
            <CopyButton text={step.link} />
            <Button onClick={() => void begin().aborted}>{general.cancel}</Button>
          </div>
        </>
      ) : null}
      {busy && step?.state === 'compare' ? (
        <div role="status" className="grid gap-2">
          <p>{words.compare(step.name)}</p>
          <Digits code={step.code} />
          <div className="flex flex-wrap gap-2">
            <Button look="main" onClick={() => decide(true)}>
              {words.same}
            </Button>
            <Button look="danger" onClick={() => decide(false)}>
              {words.differ}
            </Button>
          </div>
        </div>
      ) : null}
      {busy ? null : <Button onClick={start}>{words.link}</Button>}
    </>
  )
}

function Join() {
  const { devices: words } = useRareStrings()
  const [isOpen, setOpen] = useState(false)
  return isOpen ? <JoinForm /> : <Button onClick={() => setOpen(true)}>{words.join}</Button>
}
