/** Files in a browser: what touches them runs in a worker, started when it is first needed. */
import {
  type ContentSink,
  type ContentSource,
  type FileManifest,
  type FilePlatform,
  type KeptTransfers,
  type SinkWish,
  SkeinError,
} from '@skein/core'
import { planOf } from '@skein/core/files'
import { type Remote, releaseProxy, transfer, wrap } from 'comlink'
import { keepErrorCodes } from '../../store/worker/error-transfer.ts'
import { presentOf } from '../opened-sink.ts'
import { discardChosen } from './chosen.ts'
import { removeReceived } from './received.ts'
import { placeOfReceived } from './source-place.ts'
import type { PageFileWorker } from './worker.ts'

export interface BrowserFilesOptions {
  /** Of the identity within the origin. */
  readonly name: string
  /** A new worker that runs `worker.ts`. */
  startWorker(): Worker
}

/** What is received is kept by the browser under names of its own until the user saves it. */
const FOLDER = 'received'

export class BrowserFiles implements FilePlatform {
  private readonly options: BrowserFilesOptions
  private worker: FileWorkerThread | undefined
  private isStopped = false

  constructor(options: BrowserFilesOptions) {
    this.options = options
    keepErrorCodes()
  }

  async describe(paths: readonly string[]): ReturnType<FilePlatform['describe']> {
    return this.hold().ask((remote) => remote.describe(paths))
  }

  placeOf(path: string): string {
    return placeOfReceived(path)
  }

  pathsOf(place: string): readonly string[] {
    return JSON.parse(place) as string[]
  }

  async openSource(place: string, manifest: FileManifest): Promise<ContentSource> {
    const worker = this.hold()
    const handle = await worker.ask((remote) => remote.openSource(place, manifest))
    return {
      seal: (part, index, stream) => worker.ask((remote) => remote.seal(handle, { part, index, stream })),
      finish: () => worker.ask((remote) => remote.finishSource(handle)),
      close: () => worker.ask((remote) => remote.closeSource(handle)),
    }
  }

  async openSink(wish: SinkWish): Promise<ContentSink> {
    const worker = this.hold()
    const { handle, missing, moved } = await worker.ask((remote) => remote.openSink(wish))
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
      finish: () => worker.ask((remote) => remote.finishSink(handle)),
      commit: () => worker.ask((remote) => remote.commit(handle)),
      close: () => worker.ask((remote) => remote.closeSink(handle)),
    }
  }

  defaultFolder(): string {
    return FOLDER
  }

  forgetSource(place: string): Promise<void> {
    return discardChosen(this.options.name, JSON.parse(place) as string[])
  }

  async forget({ id }: Pick<SinkWish, 'id'>): Promise<void> {
    return this.hold().ask((remote) => remote.forget(id))
  }

  async tidy(kept: KeptTransfers): Promise<void> {
    return this.hold().ask((remote) => remote.tidy(kept))
  }

  removeReceived(path: string): Promise<void> {
    return removeReceived(this.options.name, path)
  }

  /** Ends the worker, whatever it does, for good. */
  stop(): void {
    this.isStopped = true
    this.worker?.end()
    this.worker = undefined
  }

  /** The worker that runs now; a later one knows nothing of what this one has open. */
  private hold(): FileWorkerThread {
    if (this.isStopped) throw gone()
    if (this.worker === undefined || this.worker.hasEnded) this.worker = new FileWorkerThread(this.options)
    return this.worker
  }
}

/** The worker, as the page sees it. */
class FileWorkerThread {
  hasEnded = false
  private readonly worker: Worker
  private readonly remote: Remote<PageFileWorker>
  private readonly begun: Promise<void>
  private readonly waiting = new Set<(error: unknown) => void>()

  constructor({ name, startWorker }: BrowserFilesOptions) {
    this.worker = startWorker()
    this.remote = wrap<PageFileWorker>(this.worker)
    this.worker.addEventListener('error', () => this.end())
    this.begun = this.remote.begin(name)
  }

  /** @throws SkeinError STORE_CLOSED when the worker ends before it has answered; what the worker throws */
  ask<T>(work: (remote: Remote<PageFileWorker>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.hasEnded) return reject(gone())
      this.waiting.add(reject)
      this.begun
        .then(() => work(this.remote))
        .then(resolve, reject)
        .finally(() => this.waiting.delete(reject))
    })
  }

  end(): void {
    if (this.hasEnded) return
    this.hasEnded = true
    for (const reject of this.waiting) reject(gone())
    this.waiting.clear()
    this.remote[releaseProxy]()
    this.worker.terminate()
  }
}

/** Handed over to the worker without a copy, unless its memory holds more than these bytes. */
function owned(bytes: Uint8Array): Uint8Array {
  const all = bytes.length === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
  return transfer(all, [all.buffer as ArrayBuffer])
}

function gone(): SkeinError {
  return new SkeinError('STORE_CLOSED', 'The part of Skein that reads and writes files has ended.')
}
