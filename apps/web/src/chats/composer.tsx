import { SendHorizontal } from 'lucide-react'
import { useEffect, useRef, useState, type KeyboardEvent } from 'react'
import { useStrings } from '../client/context.tsx'
import type { Conversation } from '../client/conversation.ts'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'

/** What was begun and not sent, as long as the page lives. */
const drafts = new Map<string, string>()

export function Composer({ conversation, isDisabled }: { readonly conversation: Conversation; readonly isDisabled: boolean }) {
  const { chats } = useStrings()
  const { contact } = conversation
  const [text, setText] = useState(() => drafts.get(contact) ?? '')
  const { busy, problem, run } = useAction()
  const field = useRef<HTMLTextAreaElement>(null)
  const change = (next: string): void => {
    setText(next)
    drafts.set(contact, next)
  }
  useEffect(() => {
    // A phone would show its keyboard over what one came to read.
    if (globalThis.matchMedia('(pointer: fine)').matches) field.current?.focus()
  }, [])
  const send = async (): Promise<void> => {
    if (text.trim() === '' || busy) return
    change('')
    if (!(await run(() => conversation.send(text)))) change(text)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <div className="grid gap-2 border-t border-line bg-surface p-2">
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <textarea
          ref={field}
          dir="auto"
          rows={1}
          value={text}
          disabled={isDisabled}
          aria-label={chats.write}
          placeholder={chats.write}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content max-h-40 min-h-11 min-w-0 flex-1 resize-none rounded-2xl border border-quiet bg-page px-4 py-2.5 placeholder:text-quiet"
        />
        <button
          type="submit"
          aria-label={chats.send}
          disabled={isDisabled || text.trim() === ''}
          className="grid size-11 shrink-0 place-items-center rounded-full bg-accent text-on-accent disabled:opacity-60"
        >
          <SendHorizontal aria-hidden="true" size={20} />
        </button>
      </form>
    </div>
  )
}
