import { SendHorizontal, X } from 'lucide-react'
import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react'
import { useStrings } from '../client/context.tsx'
import { keepDraft, onReturn, readDraft, returnToDraft } from '../client/drafts.ts'
import type { Conversation, Intent } from '../client/conversation.ts'
import { useObservable } from '../client/observable.ts'
import { Note } from '../ui/note.tsx'
import { useAction } from '../ui/use-action.ts'
import { isComposing } from './composing.ts'

export interface ComposerProps {
  readonly conversation: Conversation
  readonly isDisabled: boolean
  /** Before the field: what adds files. */
  readonly attach: ReactNode
}

export function Composer({ conversation, isDisabled, attach }: ComposerProps) {
  const { chats } = useStrings()
  const { contact } = conversation
  const [text, setText] = useState(() => readDraft(contact))
  const { problem, run, clear } = useAction()
  const field = useRef<HTMLTextAreaElement>(null)
  const { intent } = useObservable(conversation)
  const isEdit = intent?.kind === 'edit'
  // The text of an edit stands in the draft's place, and is none.
  const keep = (next: string): string => {
    if (!isEdit) keepDraft(contact, next)
    return next
  }
  const change = (next: string): void => {
    clear()
    setText(keep(next))
  }
  useEffect(() => {
    if (intent === undefined) return
    if (intent.kind === 'edit') setText(intent.message.text)
    field.current?.focus()
  }, [intent])
  useEffect(
    () =>
      onReturn((to) => {
        if (to === contact && conversation.get().intent?.kind !== 'edit') setText(readDraft(contact))
      }),
    [contact, conversation],
  )
  const cancel = (): void => {
    conversation.intend(undefined)
    if (isEdit) setText(readDraft(contact))
  }
  useEffect(() => {
    // A phone would show its keyboard over what one came to read.
    if (globalThis.matchMedia('(pointer: fine)').matches) field.current?.focus()
  }, [])
  const send = async (): Promise<void> => {
    if (text.trim() === '') return
    change('')
    // Whoever writes on meanwhile is not kept waiting; what failed comes back before it.
    const isSent = await run(() => conversation.send(text))
    if (!isSent && isEdit) setText((now) => (now === '' ? text : `${text}\n${now}`))
    else if (!isSent) returnToDraft(contact, text)
    else if (isEdit) setText((now) => (now === '' ? readDraft(contact) : now))
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isComposing(event.nativeEvent)) return
    if (event.key === 'Escape') cancel()
    if (event.key !== 'Enter' || event.shiftKey) return
    event.preventDefault()
    void send()
  }
  return (
    <div className="grid grid-cols-1 gap-2 border-t border-line bg-surface p-2">
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
      {intent === undefined ? null : <About intent={intent} onCancel={cancel} />}
      <form
        className="flex items-end gap-2"
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        {attach}
        <textarea
          ref={field}
          dir="auto"
          rows={1}
          value={text}
          disabled={isDisabled}
          aria-label={chats.write}
          placeholder={chats.write}
          onChange={(event) => {
            change(event.target.value)
            conversation.types()
          }}
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

/** What the next text is about. */
function About({ intent: { kind, message }, onCancel }: { readonly intent: Intent; onCancel(): void }) {
  const { chats, general } = useStrings()
  return (
    <p className="flex items-center gap-2 border-s-2 border-accent ps-2 text-sm text-quiet">
      <span className="shrink-0">{kind === 'edit' ? chats.editing : chats.replying}</span>
      <bdi dir="auto" className="foreign min-w-0 flex-1 truncate">
        {message.text.slice(0, 200)}
      </bdi>
      <button type="button" aria-label={general.cancel} onClick={onCancel} className="rounded-lg p-2 hover:bg-page">
        <X aria-hidden="true" size={16} />
      </button>
    </p>
  )
}
