/** Files on Node.js: everything that touches them runs in a worker thread, started when it is first needed. */
import { rmSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import {
  type BulkLink,
  type ContentSink,
  type ContentSource,
  type FileManifest,
  type FilePlatform,
  type KeptTransfers,
  type SinkWish,
  SkeinError,
  type StreamKey,
} from '@skein/core'
import { planOf } from '@skein/core/files'
import { transfer } from 'comlink'
import mime from 'mime'
import { keepErrorCodes } from '../store/worker/error-transfer.ts'
import { ConnectionLink } from './bulk-port.ts'
import { LEFT_OVER_MS } from './constants.ts'
import { entriesName, markName, partName } from './file-byte-sink.ts'
import { unwritable } from './explain.ts'
import { FileThread } from './file-thread.ts'
import { tidy } from './tidy.ts'
import { presentOf } from './opened-sink.ts'
import { begunAt, begunIn, isOutOfReach, placeAt, placeName, recordName } from './sink-place.ts'
import { SourcePlace } from './source-place.ts'

export interface NodeFilesOptions {
  /** For what is kept beside transfers; its real path, by which copies in it are known. */
  readonly stateFolder: string
  /** For what is received when nothing is said, as long as no other folder is meant for that. */
  readonly defaultFolder: string
}

export class NodeFiles implements FilePlatform {
  private readonly options: NodeFilesOptions
  private worker: FileThread | undefined
  private isStopped = false
  private folder = ''

  constructor(options: NodeFilesOptions) {
    this.options = options
    keepErrorCodes()
  }

  async describe(paths: readonly string[]): ReturnType<FilePlatform['describe']> {
    const described = await this.hold().ask((remote) => remote.describe(paths, this.options.stateFolder))
    return described.folder === undefined ? { ...described, mediaType: mime.getType(described.name) ?? '' } : described
  }

  placeOf(path: string, { modifiedAt }: FileManifest): string {
    return JSON.stringify({ kind: 'file', path, modifiedAt, mounts: [] } satisfies SourcePlace)
  }

  pathsOf(place: string): readonly string[] {
    const parsed = SourcePlace.parse(JSON.parse(place))
    return parsed.kind === 'folder' ? parsed.roots.map(([, path]) => path) : [parsed.path]
  }

  async openSource(place: string, manifest: FileManifest): Promise<ContentSource> {
    const worker = this.hold()
    const parsed = SourcePlace.parse(JSON.parse(place))
    const handle = await worker.ask((remote) => remote.openSource(parsed, manifest, this.options.stateFolder))
    return {
      seal: (part, index, stream) => worker.ask((remote) => remote.seal(handle, { part, index, stream })),
      sendOver: async (link) => {
        const lane = await laneOf(worker, link)
        return lane === undefined ? undefined : { send: (chunk) => worker.ask((remote) => remote.send(handle, lane, chunk)) }
      },
      grow: (grown) => worker.ask((remote) => remote.growSource(handle, grown)),
      finish: () => worker.ask((remote) => remote.finishSource(handle)),
      close: () => worker.ask((remote) => remote.closeSource(handle)),
    }
  }

  async openSink(wish: SinkWish): Promise<ContentSink> {
    const worker = this.hold()
    const { handle, missing, moved } = await worker.ask((remote) => remote.openSink(wish, this.options.stateFolder))
    const present = presentOf(planOf(wish.manifest).count, missing)
    return {
      present,
      moved,
      grow: async (grown) => {
        await worker.ask((remote) => remote.growSink(handle, grown))
        present.grow(planOf(grown).count)
      },
      write: async (index, stream, sealed) => {
        await worker.ask((remote) => remote.write(handle, { index, stream }, owned(sealed)))
        present.add(index)
      },
      receiveFrom: async (link) => {
        const lane = await laneOf(worker, link)
        if (lane === undefined) return undefined
        const receive = async (index: number, stream: StreamKey): Promise<'written' | 'unfit' | 'ended'> => {
          const outcome = await worker.ask((remote) => remote.receive(handle, lane, { index, stream }))
          if (outcome === 'written') present.add(index)
          return outcome
        }
        return { receive }
      },
      finish: () => worker.ask((remote) => remote.finishSink(handle)),
      commit: () => worker.ask((remote) => remote.commit(handle)),
      close: () => worker.ask((remote) => remote.closeSink(handle)),
    }
  }

  defaultFolder(): string {
    return this.folder === '' ? this.options.defaultFolder : this.folder
  }

  /** From now on, what is accepted without a folder goes there. @param folder absolute; empty: where it went at first */
  receiveInto(folder: string): void {
    this.folder = folder
  }

  async forget({ id, folder }: Pick<SinkWish, 'id' | 'folder'>): Promise<void> {
    const { stateFolder } = this.options
    const begun = begunAt(stateFolder, id, folder)
    // Its disk is away: what is kept here leads to the part, when it is back.
    if (begun !== undefined && isOutOfReach(begun)) return
    // At last what leads to the others.
    const kept = [recordName(id), markName(id), entriesName(id), placeName(id)].map((name) => join(stateFolder, name))
    const parts = folder === '' ? [] : [join(folder, partName(id))]
    for (const path of [...parts, ...kept]) await rm(path, { recursive: true, force: true })
  }

  async keepList(id: string, list: Uint8Array): Promise<void> {
    const path = join(this.options.stateFolder, entriesName(id))
    try {
      await mkdir(this.options.stateFolder, { recursive: true, mode: 0o700 })
      await writeFile(path, list, { mode: 0o600 })
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async keptList(id: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.options.stateFolder, entriesName(id))).then(
      (bytes) => new Uint8Array(bytes),
      () => undefined,
    )
  }

  async forgetSource(place: string): Promise<void> {
    const parsed = SourcePlace.parse(JSON.parse(place))
    if (parsed.kind === 'folder') rmSync(join(this.options.stateFolder, parsed.list), { force: true })
    // What came through a pipe, or from a page, was kept for this transfer alone.
    for (const copy of this.copiesAt(this.pathsOf(place))) rmSync(copy, { recursive: true, force: true })
  }

  async tidy({ ids, places, ended }: KeptTransfers): Promise<void> {
    const { stateFolder } = this.options
    await this.forgetLeft(new Set(ids), new Map(ended.map(({ id, folder }) => [id, folder])))
    const spool = spoolFolder(stateFolder)
    const parsed = places.flatMap((place) => placeIn(place))
    const lists = new Set(parsed.flatMap((each) => (each.kind === 'folder' ? [each.list] : [])))
    const paths = parsed.flatMap((each) => (each.kind === 'folder' ? each.roots.map(([, path]) => path) : [each.path]))
    tidy(stateFolder, spool, { kept: { ids: new Set(ids), lists, copies: this.copiesAt(paths) }, now: Date.now() })
  }

  /** Parts of transfers that have ended, or that nobody knows for a day, as far as they are in reach. */
  private async forgetLeft(known: ReadonlySet<string>, ended: ReadonlyMap<string, string>): Promise<void> {
    const { stateFolder } = this.options
    const before = Date.now() - LEFT_OVER_MS
    for (const [id, begunAt] of begunIn(stateFolder)) {
      const isLeft = ended.has(id) || (!known.has(id) && begunAt < before)
      const folder = placeAt(stateFolder, id)?.folder ?? ended.get(id) ?? ''
      if (isLeft) await this.forget({ id, folder }).catch(() => undefined)
    }
  }

  /** Of copies that lie at these paths: each is in a folder of its own, perhaps with folders in it. */
  private copiesAt(paths: readonly string[]): ReadonlySet<string> {
    const spool = spoolFolder(this.options.stateFolder)
    const within = paths.filter((path) => path.startsWith(join(spool, sep))).map((path) => relative(spool, path))
    return new Set(within.map((path) => join(spool, path.split(sep)[0] ?? '')))
  }

  /** Ends the worker, whatever it does, for good. */
  async stop(): Promise<void> {
    const { worker } = this
    this.isStopped = true
    this.worker = undefined
    await worker?.end()
  }

  /** The worker that runs now; a later one knows nothing of what this one has open. */
  private hold(): FileThread {
    if (this.isStopped) throw new SkeinError('STORE_CLOSED', 'Files are neither read nor written any more.')
    if (this.worker === undefined || this.worker.hasEnded) this.worker = new FileThread()
    return this.worker
  }
}

/** The raw connection in the hands of the worker; `undefined` where Node.js cannot move it there. */
async function laneOf(worker: FileThread, link: BulkLink): Promise<number | undefined> {
  if (!(link instanceof ConnectionLink)) return undefined
  const holder = await link.handTo(async (connection) => {
    const lane = await connection.handOver((handle) => worker.adopt(handle))
    const close = (): void => void worker.ask((remote) => remote.closeLane(lane ?? 0)).catch(() => undefined)
    return lane === undefined ? undefined : { thread: worker, lane, close }
  })
  return holder?.thread === worker ? holder.lane : undefined
}

/** Of what is received, `place` is a folder and nothing more. */
function placeIn(place: string): readonly SourcePlace[] {
  try {
    return [SourcePlace.parse(JSON.parse(place))]
  } catch {
    return []
  }
}

/** Handed over to the worker without a copy, unless its memory holds more than these bytes. */
function owned(bytes: Uint8Array): Uint8Array {
  const all = bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return transfer(all, [all.buffer as ArrayBuffer])
}

/** Where a command leaves what it reads from a pipe, for the node to send. */
export function spoolFolder(stateFolder: string): string {
  return join(stateFolder, 'spool')
}
