/** Where what is accepted goes, where a program behind the page puts it on a disk. */
import { type FormEvent, useState } from 'react'
import { useModel, useStrings } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useAction } from '../ui/use-action.ts'
import { receivingFolderOf } from './receiving-folder.ts'
import { useFileStrings } from './use-file-strings.ts'

export function FolderChoice() {
  const words = useFileStrings()
  const { general } = useStrings()
  const receiving = receivingFolderOf(useModel())
  const usual = useObservable(receiving)
  const [folder, setFolder] = useState<string>()
  const { busy, problem, run } = useAction(words.problems)
  if (usual === '') return null
  const isChanged = folder !== undefined && folder.trim() !== usual
  const keep = (event: FormEvent): void => {
    event.preventDefault()
    if (isChanged) void run(async () => receiving.choose(folder).then(() => setFolder(undefined)))
  }
  return (
    <Section title={words.folder}>
      <form onSubmit={keep} className="grid gap-2">
        <TextField
          label={words.folderOf}
          hint={words.folderHint}
          value={folder ?? usual}
          onChange={({ target }) => setFolder(target.value)}
        />
        <div>
          <Button type="submit" disabled={busy || !isChanged}>
            {general.save}
          </Button>
        </div>
        {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      </form>
    </Section>
  )
}
