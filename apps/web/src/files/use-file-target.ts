/** A place where files may be dropped or pasted, to be sent to contacts. What sends them is loaded then. */
import { type DOMAttributes, type DragEvent, useState } from 'react'
import { useLook, useModel } from '../client/context.tsx'
import { type Action, useAction } from '../ui/use-action.ts'
import { type Dropped, droppedBy, filesIn, pastedIn } from './choosing.ts'

/** Of an element of ours, or of the document. */
type Pasting = Pick<ClipboardEvent, 'clipboardData' | 'preventDefault'>

export interface FileTarget extends Pick<Action, 'busy' | 'problem'> {
  /** Files are held over it. */
  readonly isOver: boolean
  /** Nothing while there is nobody to send to. */
  readonly handlers: Pick<DOMAttributes<HTMLElement>, 'onDragOver' | 'onDragLeave' | 'onDrop'> & { onPaste?(event: Pasting): void }
  send(files: FileList | readonly File[]): void
}

const hasFiles = ({ types }: DataTransfer): boolean => types.includes('Files')

/** @param contacts each gets all of it, as one offer to several */
export function useFileTarget(contacts: readonly string[]): FileTarget {
  const model = useModel()
  const canSend = contacts.length > 0
  const [isOver, setOver] = useState(false)
  const { language } = useLook()
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({})
  const { busy, problem, run } = useAction(problems)
  const sendAll = (chosen: Dropped | ReturnType<typeof filesIn>): void => {
    if (!canSend) return
    void run(async () => {
      const { sendTo } = await import('./exchange.ts')
      await sendTo(model, contacts, chosen).catch(async (thrown: unknown) => {
        const { FILE_STRINGS } = await import('../strings/file-strings.ts')
        setProblems(FILE_STRINGS[language].problems)
        throw thrown
      })
    })
  }
  const onDragOver = (event: DragEvent): void => {
    if (!hasFiles(event.dataTransfer)) return
    event.preventDefault()
    setOver(true)
  }
  const onDrop = (event: DragEvent): void => {
    setOver(false)
    if (!hasFiles(event.dataTransfer)) return
    event.preventDefault()
    sendAll(droppedBy(event.dataTransfer))
  }
  const onPaste = (event: Pasting): void => {
    const files = event.clipboardData === null ? [] : pastedIn(event.clipboardData)
    if (files.length === 0) return
    event.preventDefault()
    sendAll(files)
  }
  const handlers = canSend ? { onDragOver, onDragLeave: () => setOver(false), onDrop, onPaste } : {}
  return { busy, problem, isOver: isOver && canSend, handlers, send: (files) => sendAll(filesIn(files)) }
}
