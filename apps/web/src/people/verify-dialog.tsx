import type { ConversationView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { QrImage, QrScanner } from '../add/lazy.ts'
import { useClient, useModel } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export interface VerifyDialogProps {
  readonly person: ConversationView
  onClose(): void
}

const inGroups = (digits: string): readonly string[] => digits.replaceAll(/\D/g, '').match(/\d{1,5}/g) ?? []

export function VerifyDialog({ person: { contact, name, trust }, onClose }: VerifyDialogProps) {
  const { verify } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const [number, setNumber] = useState<string>()
  const { busy, problem, run } = useAction(verify.problems)
  useEffect(() => void run(async () => setNumber((await api?.verify({ contact }))?.safety_number)), [api, contact, run])
  const decide = (decision: { verified: boolean } | { match: string }): void =>
    void run(async () => {
      await api?.verify({ contact, ...decision })
      await model.refresh()
    })
  return (
    <Dialog title={verify.title(name)} onClose={onClose}>
      {trust === 'changed' ? <Note look="danger">{verify.changed}</Note> : null}
      {trust === 'verified' ? <Note look="good">{verify.done}</Note> : null}
      <p className="text-quiet">{verify.text}</p>
      {number === undefined ? null : (
        <>
          <h3 className="font-medium">{verify.number}</h3>
          <p data-part="safety-number" className="grid grid-cols-4 gap-2 text-center font-mono">
            {inGroups(number).map((group, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the groups of a number have no other identity
              <span key={at}>{group}</span>
            ))}
          </p>
          <QrImage text={number.replaceAll(/\D/g, '')} label={verify.code} />
        </>
      )}
      <QrScanner onFound={(text) => decide({ match: text.slice(0, 200) })} />
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <div className="flex flex-wrap justify-end gap-2">
        {trust === 'unverified' ? null : (
          <Button look="danger" disabled={busy} onClick={() => decide({ verified: false })}>
            {verify.withdraw}
          </Button>
        )}
        {trust === 'verified' ? null : (
          <Button look="main" disabled={busy || number === undefined} onClick={() => decide({ verified: true })}>
            {verify.same}
          </Button>
        )}
      </div>
    </Dialog>
  )
}
