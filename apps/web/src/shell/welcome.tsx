import dynamic from 'next/dynamic'
import { NotLoaded } from '../ui/not-loaded.tsx'
import { useState } from 'react'
import { useStrings } from '../client/context.tsx'
import { MIN_PASSPHRASE } from '../client/connect.ts'
import { inviteIn, isDeviceLink } from '../client/route.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import type { Session } from './session.ts'

const RestoreForm = dynamic(() => import('./restore-form.tsx').then((module) => module.RestoreForm), { ssr: false, loading: NotLoaded })

export interface WelcomeProps {
  readonly session: Session
  /** The browser has deleted who was here. */
  readonly isLost: boolean
}

export function Welcome({ session, isLost }: WelcomeProps) {
  const [restoring, setRestoring] = useState(false)
  return (
    <main className="grid h-full content-center justify-center overflow-y-auto p-4">
      {restoring ? (
        <RestoreForm session={session} onBack={() => setRestoring(false)} />
      ) : (
        <NewHere session={session} isLost={isLost} onRestore={() => setRestoring(true)} />
      )}
    </main>
  )
}

function NewHere({ session, isLost, onRestore }: WelcomeProps & { onRestore(): void }) {
  const { welcome, guest, changedIdentity } = useStrings()
  const [name, setName] = useState('')
  const [sealed, setSealed] = useState(false)
  const [passphrase, setPassphrase] = useState('')
  const invite = inviteIn(globalThis.location)
  const isInvited = invite !== undefined && !isDeviceLink(invite)
  return (
    <form
      className="grid max-w-md gap-4 rounded-2xl border border-line bg-surface p-6"
      onSubmit={(event) => {
        event.preventDefault()
        void session.welcome({ name: name.trim(), passphrase: sealed ? passphrase : '' })
      }}
    >
      <h1 className="text-2xl font-semibold">{welcome.title}</h1>
      {globalThis.isSecureContext ? null : <Note look="warn">{guest}</Note>}
      {isLost ? <Note look="danger">{changedIdentity}</Note> : null}
      {isInvited ? <p className="font-medium">{welcome.invited(globalThis.location.host)}</p> : null}
      <p className="text-quiet">{welcome.text}</p>
      <TextField
        label={welcome.name}
        hint={welcome.nameHint}
        value={name}
        maxLength={64}
        autoComplete="nickname"
        onChange={(event) => setName(event.target.value)}
      />
      <label className="flex items-center gap-3">
        <input type="checkbox" className="size-5 shrink-0" checked={sealed} onChange={(event) => setSealed(event.target.checked)} />
        {welcome.passphrase}
      </label>
      {sealed ? (
        <TextField
          label={welcome.passphraseLabel}
          hint={welcome.passphraseHint}
          type="password"
          autoComplete="new-password"
          required
          minLength={MIN_PASSPHRASE}
          value={passphrase}
          onChange={(event) => setPassphrase(event.target.value)}
        />
      ) : null}
      <Button type="submit" look="main">
        {name.trim() === '' ? welcome.skip : welcome.start}
      </Button>
      <Button look="bare" onClick={onRestore}>
        {welcome.restore}
      </Button>
    </form>
  )
}
