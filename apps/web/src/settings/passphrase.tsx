/** Sets, changes or takes away the passphrase that the keys in this browser are sealed with. */
import { useCallback, useEffect, useState } from 'react'
import { isSealed, MIN_PASSPHRASE } from '../client/connect.ts'
import { useStrings } from '../client/context.tsx'
import { sealAllDrafts } from '../client/drafts.ts'
import { keep, KEYS } from '../client/kept.ts'
import { changePassphrase } from '../client/own-data.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function PassphraseSection() {
  const { welcome, errors } = useStrings()
  const { settings, unlock } = useRareStrings()
  const [sealed, setSealed] = useState<boolean>()
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [isDone, setDone] = useState(false)
  const { busy, problem, run } = useAction()
  const look = useCallback(() => {
    const note = (is: boolean): void => {
      setSealed(is)
      sealAllDrafts(is)
      keep(KEYS.sealed, is ? 'yes' : 'no')
    }
    void isSealed().then(note, () => undefined)
  }, [])
  useEffect(look, [look])
  if (sealed === undefined) return null
  const change = async (): Promise<void> => {
    setDone(false)
    if (!(await run(() => changePassphrase(current, next)))) return
    setCurrent('')
    setNext('')
    setDone(true)
    look()
  }
  return (
    <Section title={settings.passphrase}>
      <p className="text-quiet">{settings.passphraseText}</p>
      <form
        className="grid gap-3"
        onSubmit={(event) => {
          event.preventDefault()
          void change()
        }}
      >
        {sealed ? (
          <TextField
            label={settings.passphraseNow}
            type="password"
            autoComplete="current-password"
            required
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
        ) : null}
        <TextField
          label={settings.passphraseNext}
          hint={sealed ? settings.passphraseNone : welcome.passphraseHint}
          type="password"
          autoComplete="new-password"
          required={!sealed}
          minLength={MIN_PASSPHRASE}
          value={next}
          onChange={(event) => setNext(event.target.value)}
        />
        {problem === undefined ? null : <Note look="danger">{problem === errors.CONFIG_INVALID ? unlock.wrong : problem}</Note>}
        {isDone ? <Note look="good">{settings.passphraseDone}</Note> : null}
        <Button type="submit" disabled={busy}>
          {sealed ? settings.passphraseChange : settings.passphraseSet}
        </Button>
      </form>
    </Section>
  )
}
