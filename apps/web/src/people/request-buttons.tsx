/** The answer to somebody who wants to be a contact: accepted by asking them in turn. */
import type { ConversationView } from '@skein/node/browser'
import { useClient, useModel } from '../client/context.tsx'
import { Button } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

export function RequestButtons({ person: { contact } }: { readonly person: ConversationView }) {
  const { aboutPeople } = useRareStrings()
  const { api } = useClient()
  const model = useModel()
  const { busy, problem, run } = useAction()
  const answer = (work: () => Promise<unknown> | undefined): void =>
    void run(async () => {
      await work()
      await model.refresh()
    })
  return (
    <>
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <span className="flex flex-wrap gap-2">
        <Button look="main" disabled={busy} onClick={() => answer(() => api?.add({ invite: contact }))}>
          {aboutPeople.accept}
        </Button>
        <Button look="danger" disabled={busy} onClick={() => answer(() => api?.change({ contact, blocked: true }))}>
          {aboutPeople.block}
        </Button>
      </span>
    </>
  )
}
