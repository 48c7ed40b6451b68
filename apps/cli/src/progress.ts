/** Bars on a terminal; lines elsewhere. */
import type { TransferView } from '@skein/node/api'
import { MultiBar, type SingleBar } from 'cli-progress'
import { isFinal } from './transfer-states.ts'
import { oneLine, printable } from './terminal-text.ts'
import { notes, size } from './transfer-text.ts'

export interface Progress {
  /** @param described for where there are no bars */
  show(transfer: TransferView, described: string): void
  stop(): void
}

/** @param terminal where bars are drawn, if that is one */
export function createProgress(json: boolean, terminal: NodeJS.WriteStream = process.stderr): Progress {
  if (json || !terminal.isTTY) return json ? { show: () => undefined, stop: () => undefined } : new Lines()
  return new Bars(terminal)
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
/** Lines are cut at the edge of the terminal while there are bars; what is said stands whole, and nothing of a bar behind it. */
const [WRAP, CUT, CLEAR] = ['\x1b[?7h', '\x1b[?7l', '\x1b[K']

class Bars implements Progress {
  private readonly terminal: NodeJS.WriteStream
  private readonly all: MultiBar
  private readonly bars = new Map<string, { readonly bar: SingleBar; readonly growing: boolean }>()
  /** Of those that have not ended. */
  private readonly last = new Map<string, TransferView>()
  private isStopped = false

  constructor(terminal: NodeJS.WriteStream) {
    this.terminal = terminal
    // What is said moves bars to other lines.
    this.all = new MultiBar({ format: FORMAT, hideCursor: true, forceRedraw: true, stream: terminal })
  }

  show(view: TransferView, described: string): void {
    if (this.isStopped) return
    if (isFinal(view)) this.end(view, described)
    else this.move(view)
  }

  /** Said above those that still move: a bar for each that ever came would fill the terminal, and be drawn again and again. */
  private end(view: TransferView, described: string): void {
    const bar = this.barOf(view)
    const lines = printable(described).split('\n')
    this.all.log(`${WRAP}${lines.map((each) => `${each}${CLEAR}\n`).join('')}${CUT}`)
    this.all.remove(bar)
    this.bars.delete(view.transfer)
    this.last.delete(view.transfer)
  }

  private move(view: TransferView): void {
    const { bytes, rate, left_ms: left, state, reason, name } = view
    this.last.set(view.transfer, view)
    const bar = this.barOf(view)
    const speed = `${(rate / 1e6).toFixed(1)} MB/s`
    const shown = { speed, left: left === null ? '–' : `${Math.ceil(left / 1_000)} s`, state: reason ?? state, name: oneLine(name) }
    bar.update(bytes, { ...shown, much: size(bytes) })
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
    this.isStopped = true
    this.all.stop()
    // A bar has room for a code.
    for (const view of this.last.values())
      for (const note of notes(view)) this.terminal.write(`${printable(`${oneLine(view.name)}: ${note}`)}\n`)
  }
}
