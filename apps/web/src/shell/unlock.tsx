import { useState } from 'react'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { BeginAnew } from './begin-anew.tsx'
import type { Session } from './session.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function Unlock({ session, again, opening }: { readonly session: Session; readonly again: boolean; readonly opening: boolean }) {
  const { unlock } = useRareStrings()
  const [passphrase, setPassphrase] = useState('')
  return (
    <main className="grid h-full content-center justify-center p-4">
      <form
        className="grid max-w-md gap-4 rounded-2xl border border-line bg-surface p-6"
        onSubmit={(event) => {
          event.preventDefault()
          session.unlock(passphrase)
        }}
      >
        <h1 className="text-2xl font-semibold">{unlock.title}</h1>
        <p className="text-quiet">{unlock.text}</p>
        {again ? <Note look="danger">{unlock.wrong}</Note> : null}
        <TextField
          label={unlock.passphrase}
          type="password"
          autoComplete="current-password"
          required
          value={passphrase}
          onChange={(event) => setPassphrase(event.target.value)}
        />
        <Button type="submit" look="main" disabled={opening}>
          {opening ? unlock.opening : unlock.open}
        </Button>
        <BeginAnew label={unlock.forgotten} />
      </form>
    </main>
  )
}
