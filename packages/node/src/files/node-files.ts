/** Files on Node.js: everything that touches them runs in a worker thread, started when it is first needed. */
import { existsSync, rmSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ContentSink, type ContentSource, type FileManifest, type FilePlatform, type SinkWish, SkeinError } from '@skein/core'
import { planOf } from '@skein/core/files'
import { type Remote, releaseProxy, transfer, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import { keepErrorCodes } from '../store/worker/error-transfer.ts'
import { SourcePlace } from './describe.ts'
import { markName, partName, recordName } from './file-byte-sink.ts'
import type { FileWorker } from './file-worker.ts'
import { presentOf } from './opened-sink.ts'

/** Sibling of this file, compiled or not. */
const PROGRAM = fileURLToPath(new URL(`./file-worker${extname(import.meta.url)}`, import.meta.url))

export interface NodeFilesOptions {
  /** For what is kept beside transfers. */
  readonly stateFolder: string
  /** For what is received when nothing is said. */
  readonly defaultFolder: string
}

export class NodeFiles implements FilePlatform {
  private readonly options: NodeFilesOptions
  private worker: { readonly thread: Worker; readonly remote: Remote<FileWorker> } | undefined
  private users = 0

  constructor(options: NodeFilesOptions) {
    this.options = options
    keepErrorCodes()
  }

  describe(paths: readonly string[]): ReturnType<FilePlatform['describe']> {
    return this.using((remote) => remote.describe(paths, this.options.stateFolder))
  }

  async openSource(place: string, manifest: FileManifest): Promise<ContentSource> {
    const remote = this.hold()
    try {
      const handle = await remote.openSource(place, manifest, this.options.stateFolder)
      return {
        seal: (part, index, stream) => remote.seal(handle, { part, index, stream }),
        finish: () => remote.finishSource(handle),
        close: () => this.letGo(() => remote.closeSource(handle)),
      }
    } catch (error) {
      this.release()
      throw error
    }
  }

  async openSink(wish: SinkWish): Promise<ContentSink> {
    const remote = this.hold()
    try {
      const { handle, missing, moved } = await remote.openSink(wish, this.options.stateFolder)
      const present = presentOf(planOf(wish.manifest).count, missing)
      return {
        present,
        moved,
        write: async (index, stream, sealed) => {
          await remote.write(handle, { index, stream }, transfer(sealed, [sealed.buffer as ArrayBuffer]))
          present.add(index)
        },
        finish: () => remote.finishSink(handle),
        commit: () => remote.commit(handle),
        close: () => this.letGo(() => remote.closeSink(handle)),
      }
    } catch (error) {
      this.release()
      throw error
    }
  }

  defaultFolder(): string {
    return this.options.defaultFolder
  }

  async forget({ id, folder }: Pick<SinkWish, 'id' | 'folder'>): Promise<void> {
    const { stateFolder } = this.options
    const kept = [recordName(id), markName(id)].map((name) => join(stateFolder, name))
    const parts = folder === '' ? [] : [join(folder, partName(id))]
    for (const path of [...parts, ...kept]) rmSync(path, { recursive: true, force: true })
  }

  async forgetSource(place: string): Promise<void> {
    const parsed = SourcePlace.parse(JSON.parse(place))
    if (parsed.kind === 'folder') rmSync(join(this.options.stateFolder, parsed.list), { force: true })
    // What came through a pipe was kept for this transfer alone.
    else if (parsed.path.startsWith(spoolFolder(this.options.stateFolder)))
      rmSync(join(parsed.path, '..'), { recursive: true, force: true })
  }

  /** Ends the worker, whatever it does. */
  async stop(): Promise<void> {
    const { worker } = this
    this.worker = undefined
    worker?.remote[releaseProxy]()
    await worker?.thread.terminate()
  }

  private async using<T>(work: (remote: Remote<FileWorker>) => Promise<T>): Promise<T> {
    try {
      return await work(this.hold())
    } finally {
      this.release()
    }
  }

  private hold(): Remote<FileWorker> {
    this.users += 1
    this.worker ??= this.start()
    return this.worker.remote
  }

  private start(): NonNullable<NodeFiles['worker']> {
    if (!existsSync(PROGRAM)) throw new SkeinError('FILE_UNREADABLE', 'The part of Skein that reads files is missing; install it again.')
    const thread = new Worker(PROGRAM)
    thread.unref()
    return { thread, remote: wrap<FileWorker>(nodeEndpoint(thread)) }
  }

  private release(): void {
    this.users -= 1
  }

  private async letGo(close: () => Promise<void>): Promise<void> {
    try {
      await close()
    } finally {
      this.release()
    }
  }
}

/** Where a command leaves what it reads from a pipe, for the node to send. */
export function spoolFolder(stateFolder: string): string {
  return join(stateFolder, 'spool')
}
