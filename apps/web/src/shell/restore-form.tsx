/** The first thing on a new device for whoever has a backup. */
import { useState } from 'react'
import { useStrings } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import type { Session } from './session.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function RestoreForm({ session, onBack }: { readonly session: Session; onBack(): void }) {
  const { welcome } = useStrings()
  const { settings, restoring } = useRareStrings()
  const [file, setFile] = useState<File>()
  const [name, setName] = useState('')
  const [passphrase, setPassphrase] = useState('')
  const [sealed, setSealed] = useState(false)
  const { busy, problem, run } = useAction(restoring.problems)
  const restore = async (): Promise<void> => {
    if (file !== undefined) await session.restore({ file, passphrase }, { name: name.trim(), passphrase: sealed ? passphrase : '' })
  }
  return (
    <form
      className="grid max-w-md gap-4 rounded-2xl border border-line bg-surface p-6"
      onSubmit={(event) => {
        event.preventDefault()
        void run(restore)
      }}
    >
      <h1 className="text-2xl font-semibold">{welcome.restore}</h1>
      <p className="text-quiet">{restoring.restoreText}</p>
      <TextField label={restoring.restoreFile} type="file" required onChange={(event) => setFile(event.target.files?.[0])} />
      <TextField
        label={settings.backupPassphrase}
        type="password"
        autoComplete="current-password"
        required
        value={passphrase}
        onChange={(event) => setPassphrase(event.target.value)}
      />
      <TextField
        label={welcome.name}
        hint={welcome.nameHint}
        value={name}
        maxLength={64}
        onChange={(event) => setName(event.target.value)}
      />
      <label className="flex items-center gap-3">
        <input type="checkbox" className="size-5 shrink-0" checked={sealed} onChange={(event) => setSealed(event.target.checked)} />
        {restoring.restoreSealed}
      </label>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <Button type="submit" look="main" disabled={busy}>
        {restoring.restoreNow}
      </Button>
      <Button look="bare" disabled={busy} onClick={onBack}>
        {restoring.restoreNot}
      </Button>
    </form>
  )
}
