/** How many file descriptors are left: a relay that takes connections until there are none can write nothing down any more. Linux. */
import { readdirSync, readFileSync } from 'node:fs'

/** Parts of all descriptors at which members, and then whoever looks at the relay, are turned away. */
const FULL = { connections: 0.9, http: 0.97 } as const

export interface DescriptorFiles {
  readonly open: string
  readonly limits: string
}
const FILES: DescriptorFiles = { open: '/proc/self/fd', limits: '/proc/self/limits' }

export class Descriptors {
  readonly #files: DescriptorFiles
  /** As many as this process may have; without a bound where that is unknown. */
  readonly #most: number
  #open = 0

  constructor(files: DescriptorFiles = FILES) {
    this.#files = files
    this.#most = mostOf(files)
    this.look()
  }

  /** Counts anew what is open. */
  look(): void {
    if (this.#most === Number.POSITIVE_INFINITY) return
    try {
      this.#open = readdirSync(this.#files.open).length
    } catch {
      // There is none left to look with.
      this.#open = this.#most
    }
  }

  /** One more, or one less, until the next look. */
  change(step: 1 | -1): void {
    this.#open += step
  }

  isFull(whom: keyof typeof FULL): boolean {
    return this.#open >= this.#most * FULL[whom]
  }
}

function mostOf({ limits }: DescriptorFiles): number {
  try {
    const [, most] = /^Max open files\s+(\d+)/m.exec(readFileSync(limits, 'utf8')) ?? []
    return most === undefined ? Number.POSITIVE_INFINITY : Number(most)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
