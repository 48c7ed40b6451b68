/** A file in a conversation: its transfer, and a picture of it when it is a small image that is here. */
import type { HistoryMessage, TransferView } from '@skein/node/browser'
import { useEffect, useState } from 'react'
import { useModel } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { useFileStrings } from './use-file-strings.ts'
import { received } from './exchange.ts'
import { TransferCard } from './transfer-card.tsx'
import { transfersOf } from './transfers.ts'

/** What browsers show without running anything in it. */
const IMAGES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']
/** Larger ones are not drawn by themselves, in bytes. */
const MAX_SHOWN_BYTES = 5_000_000

export function FileMessage({ message: { id, direction, text } }: { readonly message: HistoryMessage }) {
  const transfers = useObservable(transfersOf(useModel()))
  const transfer = transfers?.find((each) => each.transfer === id && each.direction === direction)
  if (transfer === undefined) return <p className="foreign">{text}</p>
  return (
    <>
      {isShown(transfer) ? <Picture transfer={transfer} /> : null}
      <TransferCard transfer={transfer} brief />
    </>
  )
}

function isShown({ state, direction, media_type, total, entries }: TransferView): boolean {
  return state === 'done' && direction === 'in' && entries === 0 && total <= MAX_SHOWN_BYTES && IMAGES.includes(media_type)
}

function Picture({ transfer }: { readonly transfer: TransferView }) {
  const words = useFileStrings()
  const [url, setUrl] = useState<string>()
  const { path } = transfer
  useEffect(() => {
    let made: string | undefined
    let isOver = false
    received({ path })
      .then(([file]) => {
        if (file === undefined || isOver) return
        made = URL.createObjectURL(file.content)
        setUrl(made)
      })
      .catch(() => undefined)
    return () => {
      isOver = true
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [path])
  return url === undefined ? null : (
    // biome-ignore lint/performance/noImgElement: it is in this browser already
    <img src={url} alt={words.image(transfer.name)} className="mb-2 max-h-60 max-w-full rounded-lg object-contain" />
  )
}
