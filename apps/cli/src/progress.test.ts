/** Bars on a terminal. */
import { Writable } from 'node:stream'
import { transferView } from '@skein/node/testing'
import { expect, it } from 'vitest'
import { createProgress } from './progress.ts'
import { described } from './transfer-text.ts'

/** What a terminal of 24 lines is written. */
function terminal() {
  const pieces: string[] = []
  const sink = new Writable({ decodeStrings: false, write: (piece: string, _encoding, done) => (pieces.push(piece), done()) })
  const stream = Object.assign(sink, { isTTY: true, columns: 80, rows: 24 })
  const written = (): string => pieces.splice(0).join('')
  const progress = createProgress(false, stream as unknown as NodeJS.WriteStream)
  const show = (view: ReturnType<typeof transferView>): void => progress.show(view, described(view))
  return { progress, show, written }
}

it('[CL6] what has ended is said once, and has no bar any more: hundreds of transfers do not fill the terminal', () => {
  const { progress, show, written } = terminal()
  show(transferView({ transfer: 'long', name: 'long', state: 'running', total: 100, bytes: 10 }))
  for (let at = 0; at < 100; at += 1) {
    const one = { transfer: `${at}`, name: `file-${at}`, total: 9 }
    show(transferView({ ...one, state: 'running' }))
    show(transferView({ ...one, state: 'done', bytes: 9, path: `/in/file-${at}` }))
  }
  const said = written()
  for (const at of [0, 50, 99]) expect(said.split(`/in/file-${at}\x1b[K\n`)).toHaveLength(2)
  show(transferView({ transfer: 'long', name: 'long', state: 'paused', reason: 'DISK_FULL', total: 100, bytes: 20 }))
  progress.stop()
  const last = written()
  expect(last).toContain('long: There is no room left')
  expect(last.split('\n').length).toBeLessThan(6)
  // Nothing is drawn behind the end.
  show(transferView({ transfer: 'late', name: 'late', state: 'running' }))
  expect(written()).toBe('')
})
