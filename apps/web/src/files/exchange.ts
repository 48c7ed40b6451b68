/** Sends what was chosen, and saves what was received. */
import { base64, type ChosenFile, discardChosen, keepChosen, openReceived, type ReceivedFile } from '@skein/node/browser/files'
import type { ApiClient, TransferView } from '@skein/node/browser'
import { NAME } from '../client/connect.ts'
import type { ClientModel } from '../client/model.ts'
import { saveFile } from '../ui/save-file.ts'
import { archiveOf } from './archive.ts'
import { type Dropped, walk } from './choosing.ts'
import { copies } from './copies.ts'
import { slicesOf } from './slices.ts'
import { saveInto, saveOnto } from './save-folder.ts'
import { makeThumbnail } from './thumbnail.ts'

/** Offers files to contacts, unless the user breaks it off. @throws what the API throws; SkeinError DISK_FULL, FILE_UNREADABLE */
export async function sendTo(model: ClientModel, contacts: readonly string[], chosen: readonly ChosenFile[] | Dropped): Promise<void> {
  try {
    await offerTo(model, contacts, chosen)
  } catch (error) {
    if (!isAbort(error)) throw error
  }
}

/** Of a picker, or by a signal. */
const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

async function offerTo(model: ClientModel, contacts: readonly string[], chosen: readonly ChosenFile[] | Dropped): Promise<void> {
  const files = isDropped(chosen) ? await walk(chosen) : chosen
  const { api } = model.get()
  if (api === undefined) throw Object.assign(new Error('not running'), { code: 'STORE_CLOSED' })
  if (files.length === 0) throw Object.assign(new Error('nothing to read'), { code: 'FILE_UNREADABLE' })
  const hosted = await isHosted(api)
  const paths = [await (hosted ? upload(api, files) : keepChosen(NAME, files)).catch(noRoom)]
  const [only] = files.length === 1 ? files : []
  const made = only?.path.length === 1 && only.file !== undefined ? await makeThumbnail(only.file) : undefined
  const picture = made === undefined ? {} : { thumbnail: base64.encode(made) }
  try {
    await api.sendFiles({ contacts: [...contacts], paths, ...picture })
  } catch (error) {
    // What has no code may have been taken: the copy is needed then.
    if (!hosted && typeof error === 'object' && error !== null && 'code' in error) await discardChosen(NAME, paths)
    throw error
  }
}

/** Of the copy that is sent: nobody has anything of it. */
function noRoom(error: unknown): never {
  const isFull = typeof error === 'object' && error !== null && 'code' in error && error.code === 'DISK_FULL'
  throw isFull ? Object.assign(new Error('no room for a copy', { cause: error }), { code: 'no-room' }) : error
}

/** Whether a program on this computer runs the client: it cannot read what was chosen here. */
async function isHosted(api: ApiClient): Promise<boolean> {
  return (await api.status()).pid !== 0
}

/** Bytes of a part: in base64 it fits a request of the API, of at most 256 KiB. */
const PART_BYTES = 131_072

/** @returns what `sendFiles` takes as a path @throws DOMException AbortError when the user breaks it off */
function upload(api: ApiClient, files: readonly ChosenFile[]): Promise<string> {
  const total = files.reduce((sum, { file }) => sum + (file?.size ?? 0), 0)
  return copies.make(total, (onBytes, signal) => uploadAll({ api, onBytes, signal }, files))
}

interface Handing {
  readonly api: ApiClient
  readonly signal: AbortSignal
  onBytes(bytes: number): void
}

/** Hands names and then bytes over, some when those before are written. */
async function uploadAll(handing: Handing, files: readonly ChosenFile[]): Promise<string> {
  const { api, signal } = handing
  let id: string | undefined
  try {
    for (const some of slicesOf(files)) {
      signal.throwIfAborted()
      const names = some.map(({ path, file }) => ({ path: [...path], ...(file === undefined ? {} : { modified: file.lastModified }) }))
      const begun: { readonly upload: string } = await api.upload(id === undefined ? { names } : { upload: id, names })
      id = begun.upload
    }
    const whole = id ?? ''
    for (const [number, { file }] of files.entries())
      if (file !== undefined) await uploadFile(handing, { upload: whole, file: number }, file)
    return whole
  } catch (error) {
    // What was chosen cannot be read any more, perhaps: the program knows nothing of that.
    if (id !== undefined) await api.endUpload({ upload: id }).catch(() => undefined)
    throw error
  }
}

async function uploadFile(handing: Handing, place: { readonly upload: string; readonly file: number }, file: File): Promise<void> {
  const { api, signal, onBytes } = handing
  for (let at = 0; at < file.size; at += PART_BYTES) {
    signal.throwIfAborted()
    const bytes = await file.slice(at, at + PART_BYTES).arrayBuffer()
    await api.uploadPart({ ...place, part: base64.encode(new Uint8Array(bytes)) })
    onBytes(bytes.byteLength)
  }
}

const isDropped = (chosen: readonly ChosenFile[] | Dropped): chosen is Dropped => !Array.isArray(chosen)

/** What a received transfer holds; nothing when it was removed, or is kept elsewhere. */
export function received({ path }: Pick<TransferView, 'path'>): Promise<readonly ReceivedFile[]> {
  return path === null ? Promise.resolve([]) : openReceived(NAME, path)
}

/** What a program behind the page has put on a disk. @throws what the API throws, where it is there no longer */
export async function receivedBehind(api: ApiClient, { transfer, total }: Pick<TransferView, 'transfer' | 'total'>): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  for (let offset = 0; offset < total; ) {
    const part = new Uint8Array(base64.decode((await api.received({ transfer, offset })).part))
    if (part.length === 0) break
    parts.push(part)
    offset += part.length
  }
  return new Blob(parts)
}

/** @throws Error `not-kept` when it was removed, in another tab or by the browser */
async function whole(transfer: TransferView): Promise<readonly ReceivedFile[]> {
  const files = await received(transfer)
  if (files.length === 0) throw Object.assign(new Error('it is here no longer'), { code: 'not-kept' })
  return files
}

interface Pickers {
  showSaveFilePicker?(options: { readonly suggestedName: string }): Promise<FileSystemFileHandle>
  showDirectoryPicker?(options: { readonly mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>
}

const pickers = globalThis as unknown as Pickers

/** Whether the user can be asked where to. */
export function canAsk({ entries }: Pick<TransferView, 'entries'>): boolean {
  return (entries > 0 ? pickers.showDirectoryPicker : pickers.showSaveFilePicker) !== undefined
}

/** Into the folder for downloads: a folder, and several files, as one archive (FI51). The browser reads it from its disk. */
export async function download(transfer: TransferView): Promise<void> {
  const files = await whole(transfer)
  const [{ content, path } = {}] = files
  if (transfer.entries > 0) saveFile(await archiveOf(files), `${transfer.name}.zip`)
  else if (content !== undefined) saveFile(content, path?.at(-1) ?? transfer.name)
}

/**
 * Where the user says. Nothing when the user turns away.
 * @returns what was saved under another name, for the browser refuses its own (FI60)
 * @throws Error with the code `not-kept`, `not-saved`
 */
export async function saveAs(transfer: TransferView): Promise<readonly string[]> {
  try {
    if (transfer.entries > 0) return await saveFolderAs(transfer)
    await saveFileAs(transfer)
  } catch (error) {
    if (!isAbort(error)) throw error
  }
  return []
}

/** Before the picker, which empties the file that is picked. */
async function saveFileAs(transfer: TransferView): Promise<void> {
  const [file] = await whole(transfer)
  const handle = await pickers.showSaveFilePicker?.({ suggestedName: transfer.name })
  if (handle !== undefined && file?.content !== undefined) await saveOnto(handle, file.content, write)
}

async function saveFolderAs(transfer: TransferView): Promise<readonly string[]> {
  const top = await pickers.showDirectoryPicker?.({ mode: 'readwrite' })
  return top === undefined ? [] : saveInto(top, await whole(transfer), write)
}

async function write(handle: FileSystemFileHandle, content: Blob): Promise<void> {
  await content.stream().pipeTo(await handle.createWritable())
}
