/** The worker thread, as the main thread sees it. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Transferable, Worker } from 'node:worker_threads'
import { SkeinError } from '@skein/core'
import { type Remote, releaseProxy, transfer, wrap } from 'comlink'
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs'
import type { FileWorker } from './file-worker.ts'

/** Sibling of this file, compiled or not. */
const PROGRAM = fileURLToPath(new URL(`./file-worker${extname(import.meta.url)}`, import.meta.url))

export class FileThread {
  private readonly thread: Worker
  private readonly remote: Remote<FileWorker>
  /** Whoever waits for an answer. */
  private readonly waiting = new Set<(error: unknown) => void>()
  private ended = false

  constructor() {
    this.thread = new Worker(PROGRAM)
    this.thread.unref()
    this.remote = wrap<FileWorker>(nodeEndpoint(this.thread))
    this.thread.once('error', (error) => this.onEnd(error))
    this.thread.once('exit', () => this.onEnd(undefined))
  }

  get hasEnded(): boolean {
    return this.ended
  }

  /** @throws SkeinError STORE_CLOSED when the thread ends before it has answered; what the worker throws */
  ask<T>(work: (remote: Remote<FileWorker>) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.ended) return reject(gone(undefined))
      this.waiting.add(reject)
      work(this.remote)
        .then(resolve, reject)
        .finally(() => this.waiting.delete(reject))
    })
  }

  /** Moves a TCP connection to it. @returns its name there @throws DataCloneError where Node.js cannot move it */
  adopt(handle: object): Promise<number> {
    return this.ask((remote) => remote.adopt(transfer({ handle }, [handle as Transferable])))
  }

  async end(): Promise<void> {
    this.remote[releaseProxy]()
    await this.thread.terminate()
  }

  private onEnd(cause: unknown): void {
    this.ended = true
    for (const reject of this.waiting) reject(gone(cause))
    this.waiting.clear()
  }
}

function gone(cause: unknown): SkeinError {
  return new SkeinError('STORE_CLOSED', 'The part of Skein that reads and writes files has ended.', { cause })
}
