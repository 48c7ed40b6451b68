/** A copy of everything, for the day on which this device is lost. */
import { useState } from 'react'
import { MIN_PASSPHRASE } from '../client/connect.ts'
import { useClient } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { saveFile } from '../ui/save-file.ts'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

const nameToday = (kind: string): string => `skein-${new Date().toISOString().slice(0, 10)}.${kind}`

export function BackupSection() {
  const { settings } = useRareStrings()
  const { api } = useClient()
  const [passphrase, setPassphrase] = useState('')
  const [done, setDone] = useState<string>()
  const { busy, problem, run } = useAction()
  const save = (sealedWith: string | null): void => {
    setDone(undefined)
    void run(async () => {
      if (api === undefined) return
      const parts: Uint8Array<ArrayBuffer>[] = []
      for await (const { part } of await api.backup({ passphrase: sealedWith }))
        parts.push(Uint8Array.from(atob(part), (each) => each.charCodeAt(0)))
      saveFile(new Blob(parts, { type: 'application/octet-stream' }), nameToday(sealedWith === null ? 'jsonl' : 'age'))
      setPassphrase('')
      setDone(sealedWith === null ? settings.exportDone : settings.backupDone)
    })
  }
  return (
    <Section title={settings.backup}>
      <p className="text-quiet">{settings.backupText}</p>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          save(passphrase)
        }}
      >
        <TextField
          label={settings.backupPassphrase}
          hint={settings.backupHint}
          type="password"
          autoComplete="new-password"
          value={passphrase}
          minLength={MIN_PASSPHRASE}
          onChange={(event) => setPassphrase(event.target.value)}
        />
        <Button type="submit" disabled={busy || passphrase.length < MIN_PASSPHRASE}>
          {settings.makeBackup}
        </Button>
      </form>
      <p className="text-sm text-quiet">{settings.exportText}</p>
      <Button disabled={busy} onClick={() => save(null)}>
        {settings.exportNow}
      </Button>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {done === undefined ? null : <Note look="good">{done}</Note>}
    </Section>
  )
}
