/** Copies that are made of what was chosen, for a program behind the page: how far they are, and how they are broken off. */
import { Observable } from '../client/observable.ts'

export interface Copy {
  /** Tells it from the others. */
  readonly id: number
  /** Bytes. */
  readonly done: number
  readonly total: number
  cancel(): void
}

/** It is told how far a copy is so often while it is made. */
const STEPS = 200

export class Copies extends Observable<readonly Copy[]> {
  private made = 0

  constructor() {
    super([])
  }

  /** @param work is given what to tell written bytes to, and a signal by which the user breaks it off */
  async make<T>(total: number, work: (onBytes: (bytes: number) => void, signal: AbortSignal) => Promise<T>): Promise<T> {
    const over = new AbortController()
    this.made += 1
    let copy: Copy = { id: this.made, done: 0, total, cancel: () => over.abort() }
    let done = 0
    this.set([...this.get(), copy])
    const onBytes = (bytes: number): void => {
      done += bytes
      if (done - copy.done < total / STEPS) return
      const next = { ...copy, done }
      this.set(this.get().map((each) => (each === copy ? next : each)))
      copy = next
    }
    try {
      return await work(onBytes, over.signal)
    } finally {
      this.set(this.get().filter((each) => each !== copy))
    }
  }
}

/** Those of this page. */
export const copies = new Copies()
