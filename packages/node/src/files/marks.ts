/**
 * Under which names what is whole was put, told before it is moved there: for who goes on after a kill. A line each, added at the
 * end; one that was cut off counts as none. Runs in the worker.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import * as z from 'zod'
import { codeOf } from './explain.ts'

const Mark = z.tuple([z.string(), z.string()])

export class Marks {
  private readonly path: string
  private known: Map<string, string> | undefined

  constructor(path: string) {
    this.path = path
  }

  /** @returns the path that was last told for what is called `name` in the part */
  get(name: string): string | undefined {
    return this.all().get(name)
  }

  /** @throws NodeJS.ErrnoException */
  add(name: string, final: string): void {
    const all = this.all()
    // Begins with the end of a line: the one before may have none.
    appendFileSync(this.path, `\n${JSON.stringify([name, final])}`, { mode: 0o600 })
    all.set(name, final)
  }

  private all(): Map<string, string> {
    this.known ??= new Map(read(this.path).flatMap((line) => markIn(line)))
    return this.known
  }
}

function read(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

function markIn(line: string): readonly (readonly [string, string])[] {
  try {
    return [Mark.parse(JSON.parse(line))]
  } catch {
    return []
  }
}
