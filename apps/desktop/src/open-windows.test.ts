import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VirtualClock } from '@skein/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { OpenWindows, windowEnded } from './open-windows.ts'
import { openWindow } from './shell/chromium.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'skein-window-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A browser that does nothing but this, and ends. */
function browser(script: string): string {
  const path = join(folder, 'chromium')
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  return path
}

/** A window that is about to be opened, and its browser has ended. */
async function ended(script: string | undefined, before: (windows: OpenWindows) => void = () => undefined) {
  const path = script === undefined ? join(folder, 'missing') : browser(script)
  const [windows, clock] = [new OpenWindows(), new VirtualClock()]
  before(windows)
  const { exited } = openWindow(path, { url: 'http://127.0.0.1:1/', profile: folder })
  let told: boolean | undefined
  void windowEnded(exited, windows, clock).then((was) => (told = was))
  await exited
  await clock.advance(0)
  return { windows, clock, told: () => told }
}

describe.skipIf(process.platform === 'win32')('the end of a window', () => {
  it('[DW20] is that of its browser where that has shown it', async () => {
    const connection = new EventEmitter()
    const { clock, told } = await ended('exit 0', (windows) => windows.add(connection))
    expect(told()).toBeUndefined()
    connection.emit('close')
    await clock.advance(2_000)
    expect(told()).toBe(true)
  })

  it('[DW20] is that of its last connection where its browser has handed it over to one that ran already', async () => {
    const { windows, clock, told } = await ended('exit 0')
    await clock.advance(10_000)
    const [first, again] = [new EventEmitter(), new EventEmitter()]
    windows.add(first)
    await clock.advance(3_600_000)
    // The client was started anew.
    first.emit('close')
    await clock.advance(20_000)
    windows.add(again)
    await clock.advance(60_000)
    expect(told()).toBeUndefined()
    again.emit('close')
    await clock.advance(30_000)
    expect(told()).toBe(true)
  })

  it('[DW20] a browser that fails, cannot be started, or shows nothing has made no window', async () => {
    for (const script of [undefined, 'exit 3', 'kill -9 $$']) expect((await ended(script)).told()).toBe(false)
    const { clock, told } = await ended('exit 0')
    expect(told()).toBeUndefined()
    await clock.advance(20_000)
    expect(told()).toBe(false)
  })

  it('[DW20] a browser that hangs before it shows anything has made no window, and one that is slow has', async () => {
    const told = async (windows: OpenWindows, clock: VirtualClock): Promise<boolean | undefined> => {
      let was: boolean | undefined
      void windowEnded(new Promise(() => undefined), windows, clock).then((each) => (was = each))
      await clock.advance(29_000)
      expect(was).toBeUndefined()
      await clock.advance(2_000)
      return was
    }
    const slow = new OpenWindows()
    slow.add(new EventEmitter())
    expect([await told(new OpenWindows(), new VirtualClock()), await told(slow, new VirtualClock())]).toEqual([false, undefined])
  })
})
