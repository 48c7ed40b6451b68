/** Delivery proofs: whether they are made, and whether one is genuine. */
import type { CheckedProofView } from '@skein/node/browser'
import { FileCheck } from 'lucide-react'
import { useState } from 'react'
import { useClient } from '../client/context.tsx'
import { FileButton } from '../files/file-button.tsx'
import { ProofsField } from '../people/proofs-field.tsx'
import { buttonClass } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useTimes } from '../ui/times.ts'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

/** Bytes; more than the largest text, each of them escaped, and less than the window takes at once. */
const MAX_PROOF = 200_000

export function ProofsSection() {
  const { proofs } = useRareStrings()
  const { api } = useClient()
  const [checked, setChecked] = useState<CheckedProofView>()
  const { busy, problem, run } = useAction(proofs.problems)
  const check = (files: FileList): void => {
    setChecked(undefined)
    void run(async () => {
      const file = files.item(0)
      if (file === null || file.size > MAX_PROOF) throw Object.assign(new Error('no proof'), { code: 'PROOF_INVALID' })
      setChecked(await api?.checkProof({ file: await file.text() }))
    })
  }
  return (
    <Section title={proofs.title}>
      <ProofsField />
      <p className="text-quiet">{proofs.checkText}</p>
      <FileButton label={proofs.check} isDisabled={busy} onFiles={check} className={buttonClass('plain')}>
        <FileCheck aria-hidden="true" size={18} />
        {proofs.check}
      </FileButton>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {checked === undefined ? null : <Checked proof={checked} />}
    </Section>
  )
}

function Checked({ proof }: { readonly proof: CheckedProofView }) {
  const { proofs } = useRareStrings()
  const times = useTimes()
  const facts = [
    [proofs.from, proof.sender],
    [proofs.to, proof.recipient],
    [proofs.message, proof.text],
  ] as const
  return (
    <>
      <Note look="good">{proofs.valid}</Note>
      <dl className="foreign grid grid-cols-1 gap-1">
        {facts.map(([word, value]) => (
          <div key={word}>
            <dt className="text-sm text-quiet">{word}</dt>
            <dd>
              <bdi dir="auto">{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
      <ul className="foreign grid grid-cols-1 gap-1">
        {proof.receipts.map(({ device, at, read, text }) => (
          <li key={`${device} ${read}`}>
            {read ? proofs.read(times.whole(at)) : proofs.came(times.whole(at))}
            {text === proof.text ? null : <bdi dir="auto"> {text}</bdi>}
          </li>
        ))}
        {proof.stored.map(({ mailbox, at }) => (
          <li key={`${mailbox} ${at}`}>{proofs.stored(mailbox, times.whole(at))}</li>
        ))}
      </ul>
    </>
  )
}
