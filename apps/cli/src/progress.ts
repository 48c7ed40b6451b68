/** Bars on a terminal; lines elsewhere. */
import type { TransferView } from '@skein/node/api'
import { MultiBar, type SingleBar } from 'cli-progress'
import { oneLine, printable } from './terminal-text.ts'
import { notes } from './transfer-text.ts'

export interface Progress {
  /** @param described for where there are no bars */
  show(transfer: TransferView, described: string): void
  stop(): void
}

export function createProgress(json: boolean): Progress {
  if (json || !process.stderr.isTTY) return json ? { show: () => undefined, stop: () => undefined } : new Lines()
  return new Bars()
}

/** What is said of it whenever its state changes, or what it waits for. */
class Lines implements Progress {
  private readonly states = new Map<string, string>()

  show({ transfer, state, reason, queue }: TransferView, described: string): void {
    const now = `${state} ${reason} ${queue !== null}`
    if (this.states.get(transfer) === now) return
    this.states.set(transfer, now)
    process.stdout.write(`${printable(described)}\n`)
  }

  stop(): void {
    this.states.clear()
  }
}

const FORMAT = '{bar} {percentage} % | {speed} | {left} | {state} | {name}'

class Bars implements Progress {
  private readonly all = new MultiBar({ format: FORMAT, hideCursor: true, stream: process.stderr })
  private readonly bars = new Map<string, SingleBar>()
  private readonly last = new Map<string, TransferView>()

  show(view: TransferView): void {
    const { transfer, bytes, total, rate, left_ms: left, state, reason, name } = view
    this.last.set(transfer, view)
    const bar = this.bars.get(transfer) ?? this.all.create(Math.max(1, total), 0)
    this.bars.set(transfer, bar)
    const speed = `${(rate / 1e6).toFixed(1)} MB/s`
    const shown = { speed, left: left === null ? '–' : `${Math.ceil(left / 1_000)} s`, state: reason ?? state, name: oneLine(name) }
    bar.update(total === 0 && state === 'done' ? 1 : bytes, shown)
  }

  stop(): void {
    this.all.stop()
    // A bar has room for a code.
    for (const view of this.last.values())
      for (const note of notes(view)) process.stderr.write(`${printable(`${oneLine(view.name)}: ${note}`)}\n`)
  }
}
