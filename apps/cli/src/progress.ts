/** Bars on a terminal; lines elsewhere. */
import type { TransferView } from '@skein/node/api'
import { MultiBar, type SingleBar } from 'cli-progress'
import { oneLine, printable } from './terminal-text.ts'
import { notes, size } from './transfer-text.ts'

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
/** While nobody knows how much comes. */
const GROWING = '{much} | {speed} | {state} | {name}'

class Bars implements Progress {
  private readonly all = new MultiBar({ format: FORMAT, hideCursor: true, stream: process.stderr })
  private readonly bars = new Map<string, { readonly bar: SingleBar; readonly growing: boolean }>()
  private readonly last = new Map<string, TransferView>()

  show(view: TransferView): void {
    const { bytes, total, rate, left_ms: left, state, reason, name } = view
    this.last.set(view.transfer, view)
    const bar = this.barOf(view)
    const speed = `${(rate / 1e6).toFixed(1)} MB/s`
    const shown = { speed, left: left === null ? '–' : `${Math.ceil(left / 1_000)} s`, state: reason ?? state, name: oneLine(name) }
    bar.update(total === 0 && state === 'done' ? 1 : bytes, { ...shown, much: size(bytes) })
  }

  /** Another one when a stream has ended. */
  private barOf({ transfer, total, growing }: TransferView): SingleBar {
    const known = this.bars.get(transfer)
    if (known?.growing === growing) return known.bar
    if (known !== undefined) this.all.remove(known.bar)
    const bar = this.all.create(Math.max(1, total), 0, {}, growing ? { format: GROWING } : {})
    this.bars.set(transfer, { bar, growing })
    return bar
  }

  stop(): void {
    this.all.stop()
    // A bar has room for a code.
    for (const view of this.last.values())
      for (const note of notes(view)) process.stderr.write(`${printable(`${oneLine(view.name)}: ${note}`)}\n`)
  }
}
