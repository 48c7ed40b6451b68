import { ClipboardPaste } from 'lucide-react'
import { useState } from 'react'
import { useModel, useStrings } from '../client/context.tsx'
import { linkTo } from '../client/route.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextArea, TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { QrScanner } from './lazy.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export interface AddDialogProps {
  /** An invite, or the id of an account that somebody has told of. */
  readonly given?: string
  readonly called?: string
  onClose(): void
}

/** Adds a contact by an invite that is pasted or scanned. */
export function AddDialog({ given = '', called = '', onClose }: AddDialogProps) {
  const { add, general } = useStrings()
  const { adding } = useRareStrings()
  const model = useModel()
  const [invite, setInvite] = useState(given)
  const [name, setName] = useState(called)
  const { busy, problem, run } = useAction()
  const take = (text: string): Promise<boolean> =>
    run(async () => {
      const contact = await model.add(text, name)
      onClose()
      globalThis.location.hash = linkTo('chats', contact)
    })
  return (
    <Dialog title={add.title} onClose={onClose}>
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault()
          void take(invite)
        }}
      >
        <p className="text-quiet">{adding.text}</p>
        <TextArea
          label={adding.invite}
          value={invite}
          maxLength={400}
          required
          dir="ltr"
          spellCheck={false}
          onChange={(event) => setInvite(event.target.value)}
        />
        <PasteButton onPaste={setInvite} />
        <TextField label={adding.name} value={name} maxLength={64} onChange={(event) => setName(event.target.value)} />
        <QrScanner
          onFound={(text) => {
            setInvite(text)
            void take(text)
          }}
        />
        {problem === undefined ? null : <Note look="danger">{problem}</Note>}
        {busy ? <p role="status">{add.adding}</p> : null}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{general.cancel}</Button>
          <Button type="submit" look="main" disabled={busy}>
            {general.add}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

/** Absent where the page may not read the clipboard. */
function PasteButton({ onPaste }: { onPaste(text: string): void }) {
  const { adding } = useRareStrings()
  const clipboard = (navigator as Partial<Navigator>).clipboard as Partial<Clipboard> | undefined
  if (clipboard?.readText === undefined) return null
  return (
    <Button
      onClick={() =>
        void clipboard.readText?.().then(
          (text) => onPaste(text.trim().slice(0, 400)),
          () => undefined,
        )
      }
    >
      <ClipboardPaste aria-hidden="true" size={18} />
      {adding.paste}
    </Button>
  )
}
