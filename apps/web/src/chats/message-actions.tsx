/** What one can do with a message. */
import type { HistoryMessage } from '@skein/node/browser'
import { Copy, FileCheck, Forward, Pencil, Reply, Undo2 } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { useModel, useStrings } from '../client/context.tsx'
import type { Conversation } from '../client/conversation.ts'
import { mailOf } from '../client/mail.ts'
import { useObservable } from '../client/observable.ts'
import { SeveralDialog } from '../mail/lazy.ts'
import { DeviceStates } from '../mail/device-states.tsx'
import { OutboxRows } from '../mail/outbox-rows.tsx'
import { copyText } from '../ui/clipboard.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { saveFile } from '../ui/save-file.ts'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'
import { reactionsFor } from './reactions.ts'

export interface MessageActionsProps {
  readonly message: HistoryMessage
  readonly conversation: Conversation
  onClose(): void
}

export function MessageActions({ message, conversation, onClose }: MessageActionsProps) {
  const { chats, general } = useStrings()
  const { proofs, delivery, talk } = useRareStrings()
  const [isForwarding, setForwarding] = useState(false)
  const waiting = useObservable(mailOf(useModel())).outbox.filter((each) => each.id === message.id)
  const [first, ...others] = waiting
  const { busy, problem, run } = useAction(proofs.problems)
  const { id, text, kind, own_reaction: own } = message
  const done = (work: () => Promise<unknown>): void => void run(work).then((worked) => (worked ? onClose() : undefined))
  const begin = (intent: 'reply' | 'edit') => (): void => {
    conversation.intend({ kind: intent, message })
    onClose()
  }
  const isOwnText = message.direction === 'out' && kind === 'text'
  const hasArrived = message.direction === 'out' && (message.state === 'delivered' || message.state === 'read')
  const saveProof = async (): Promise<void> => {
    const proof = JSON.stringify(await conversation.proof(id), undefined, 2)
    saveFile(new Blob([proof, '\n'], { type: 'application/json' }), `skein-proof-${id.slice(0, 8)}.json`)
  }
  if (isForwarding) return <SeveralDialog title={delivery.forward} text={text} onClose={onClose} />
  return (
    <Dialog title={chats.actions} onClose={onClose}>
      <fieldset className="flex flex-wrap gap-2" aria-label={talk.react} disabled={busy}>
        {reactionsFor(own).map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={own === each}
            onClick={() => done(() => conversation.react(id, own === each ? '' : each))}
            className={`size-11 rounded-full border text-xl ${own === each ? 'border-accent bg-mine' : 'border-line hover:bg-page'}`}
          >
            {each}
          </button>
        ))}
      </fieldset>
      <OtherReaction isDisabled={busy} onReact={(emoji) => done(() => conversation.react(id, emoji))} />
      <div className="grid">
        <Item label={talk.reply} icon={<Reply aria-hidden="true" size={18} />} onClick={begin('reply')} />
        {kind === 'text' ? (
          <Item label={general.copy} icon={<Copy aria-hidden="true" size={18} />} onClick={() => done(() => copyText(text))} />
        ) : null}
        {isOwnText ? <Item label={talk.edit} icon={<Pencil aria-hidden="true" size={18} />} onClick={begin('edit')} /> : null}
        {message.direction === 'out' ? (
          <Item label={talk.takeBack} icon={<Undo2 aria-hidden="true" size={18} />} onClick={() => done(() => conversation.remove(id))} />
        ) : null}
        {kind === 'text' ? (
          <Item label={delivery.forward} icon={<Forward aria-hidden="true" size={18} />} onClick={() => setForwarding(true)} />
        ) : null}
        {hasArrived ? <Item label={proofs.save} icon={<FileCheck aria-hidden="true" size={18} />} onClick={() => done(saveProof)} /> : null}
      </div>
      {message.direction === 'out' ? <DeviceStates id={id} /> : null}
      {first === undefined ? null : <OutboxRows rows={[first, ...others]} />}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </Dialog>
  )
}

function OtherReaction({ isDisabled, onReact }: { readonly isDisabled: boolean; onReact(emoji: string): void }) {
  const { talk } = useRareStrings()
  const [emoji, setEmoji] = useState('')
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault()
        onReact(emoji.trim())
      }}
    >
      <div className="w-40">
        <TextField label={talk.otherReaction} maxLength={16} value={emoji} onChange={(event) => setEmoji(event.target.value)} />
      </div>
      <Button type="submit" disabled={isDisabled || emoji.trim() === ''}>
        {talk.react}
      </Button>
    </form>
  )
}

function Item({ label, icon, onClick }: { readonly label: string; readonly icon: ReactNode; onClick(): void }) {
  return (
    <button type="button" onClick={onClick} className="flex min-h-11 items-center gap-3 rounded-lg px-3 text-start hover:bg-page">
      {icon}
      {label}
    </button>
  )
}
