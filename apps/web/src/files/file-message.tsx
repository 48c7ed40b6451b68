/** A file in a conversation: its transfer, and a picture of it when it is a small image that is here. */
import type { ApiClient, HistoryMessage, TransferView } from '@skein/node/browser'
import { base64 } from '@skein/node/browser/files'
import { type ReactNode, useEffect, useState } from 'react'
import { useClient, useModel } from '../client/context.tsx'
import { useObservable } from '../client/observable.ts'
import { useFileStrings } from './use-file-strings.ts'
import { received, receivedBehind } from './exchange.ts'
import { isOnDisk } from './places.ts'
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
      <Look transfer={transfer} />
      <TransferCard transfer={transfer} brief />
    </>
  )
}

function Look({ transfer }: { readonly transfer: TransferView }) {
  const preview = mayHaveThumbnail(transfer) ? <Thumbnail transfer={transfer} /> : null
  return isShown(transfer) ? <Picture transfer={transfer} instead={preview} /> : preview
}

/** Here, in this browser or behind it; of what was removed the preview stays. */
function isShown({ state, direction, media_type, total, entries, path }: TransferView): boolean {
  const isHere = state === 'done' && direction === 'in' && path !== null
  return isHere && entries === 0 && total <= MAX_SHOWN_BYTES && IMAGES.includes(media_type)
}

function mayHaveThumbnail({ media_type, entries }: TransferView): boolean {
  return entries === 0 && IMAGES.includes(media_type)
}

/** What the sender says it looks like, before it is here. */
function Thumbnail({ transfer: { transfer, name } }: { readonly transfer: TransferView }) {
  const { api } = useClient()
  const words = useFileStrings()
  const url = useObjectUrl(
    async () => {
      const { thumbnail } = (await api?.thumbnail({ transfer })) ?? { thumbnail: null }
      return thumbnail === null ? undefined : (await import('./thumbnail.ts')).judgedThumbnail(base64.decode(thumbnail))
    },
    `${transfer} ${api === undefined}`,
  )
  return url === undefined ? null : (
    // biome-ignore lint/performance/noImgElement: it is in this page already
    <img src={url} alt={words.preview(name)} className="mb-2 max-h-60 max-w-full rounded-lg object-contain" />
  )
}

interface PictureProps {
  readonly transfer: TransferView
  /** While it cannot be drawn: it may have been moved or changed on a disk. */
  readonly instead: ReactNode
}

function Picture({ transfer, instead }: PictureProps) {
  const words = useFileStrings()
  const { api } = useClient()
  const url = useObjectUrl(
    async () => {
      const content = await contentOf(api, transfer)
      return content === undefined ? undefined : (await import('./thumbnail.ts')).judgedImage(content)
    },
    `${transfer.path} ${api === undefined}`,
  )
  return url === undefined ? (
    instead
  ) : (
    // biome-ignore lint/performance/noImgElement: it is in this browser already
    <img src={url} alt={words.image(transfer.name)} className="mb-2 max-h-60 max-w-full rounded-lg object-contain" />
  )
}

async function contentOf(api: ApiClient | undefined, transfer: TransferView): Promise<Blob | undefined> {
  const { path, media_type: type } = transfer
  if (path === null || !isOnDisk(path)) return (await received({ path }))[0]?.content
  // Drawn as what it is said to be, and judged before.
  return api === undefined ? undefined : new Blob([await receivedBehind(api, transfer)], { type })
}

/** An address for bytes that are read anew for each `key`, and given back with it. */
function useObjectUrl(read: () => Promise<Blob | undefined>, key: string): string | undefined {
  const [url, setUrl] = useState<string>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `key` says what `read` reads
  useEffect(() => {
    let made: string | undefined
    let isOver = false
    read()
      .then((content) => {
        if (content === undefined || isOver) return
        made = URL.createObjectURL(content)
        setUrl(made)
      })
      .catch(() => undefined)
    return () => {
      isOver = true
      if (made !== undefined) URL.revokeObjectURL(made)
      setUrl(undefined)
    }
  }, [key])
  return url
}
