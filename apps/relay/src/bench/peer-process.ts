/** A peer of the bench as the measuring process sees it. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Answer, OrderName, Orders } from './words.ts'

/** Beside the bundle in a package and in a checkout. */
const PROGRAM = fileURLToPath(new URL('bench-peer.js', import.meta.url))

interface Waiting {
  resolve(output: unknown): void
  reject(error: Error): void
}

export class PeerProcess implements Disposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #next = 0

  constructor() {
    this.#child = fork(PROGRAM, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    this.#child.on('message', (answer: Answer) => this.#settle(answer))
    this.#child.on('exit', (code) => this.#fail(new Error(`A process of the bench ended with ${code}.`)))
    this.#child.on('error', (error) => this.#fail(error))
  }

  /** @throws Error with what the peer says went wrong, or when it has ended */
  ask<N extends OrderName>(name: N, input: Orders[N]['input']): Promise<Orders[N]['output']> {
    return new Promise((resolve, reject) => {
      const id = this.#next++
      this.#waiting.set(id, { resolve: (output) => resolve(output as Orders[N]['output']), reject })
      this.#child.send({ id, name, input })
    })
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#waiting.delete(answer.id)
    if ('error' in answer) waiting?.reject(new Error(answer.error))
    else waiting?.resolve(answer.output)
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
