import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { StreamAbortEvent, StreamCloseEvent } from '@libp2p/interface'
import { RecordingLogger } from '@skein/core/testing'
import { describe, expect, it } from 'vitest'
import { installRejectionGuard, isStrayStreamEvent } from './rejection-guard.ts'

const GUARDED = `
  import { createLogger } from '../platform/logger.ts'
  import { installRejectionGuard } from './rejection-guard.ts'
  const remove = installRejectionGuard(createLogger({ level: 'warn' }))
`
const STRAY = `
  const { StreamAbortEvent, StreamCloseEvent } = await import('@libp2p/interface')
  void Promise.reject(new StreamCloseEvent())
  setImmediate(() => void Promise.reject(new StreamAbortEvent(new Error('cut'))))
`
/** Says so on stdout once every rejection before it has been dealt with. */
const LIVES = `setImmediate(() => setImmediate(() => setImmediate(() => console.log('lives'))))`

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Runs `source` as a module of this folder in a process of its own, to its end. */
async function inProcess(source: string): Promise<Ended> {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { cwd, timeout: 30_000 })
  let out = ''
  let err = ''
  child.stdout.on('data', (part: Buffer) => (out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (err += part.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: out.trim(), err }
}

describe('rejection guard', { timeout: 60_000 }, () => {
  it('keeps a process alive that stray stream events would end; each is logged with its number', async () => {
    const { code, out, err } = await inProcess(`${GUARDED}${STRAY}${LIVES}`)
    expect([code, out]).toEqual([0, 'lives'])
    const lines = err.split('\n').filter((line) => line.startsWith('{'))
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'stray-stream-event', kind: 'StreamCloseEvent', count: 1 },
      { event: 'stray-stream-event', kind: 'StreamAbortEvent', count: 2 },
    ])
  })

  it.each([
    ['without it', ''],
    ['once it is removed', `${GUARDED}remove()\n`],
  ])('%s the same events end the process', async (_when, guard) => {
    const { code, out } = await inProcess(`${guard}${STRAY}${LIVES}`)
    expect(code).toBeGreaterThan(0)
    expect(out).toBe('')
  })

  it.each([
    ['an error', `new Error('a fault of ours')`],
    ['another event', `new CustomEvent('a fault of ours')`],
    ['a bare string', `'a fault of ours'`],
  ])('does not hide a rejection of our own with %s', async (_name, reason) => {
    const { code, out, err } = await inProcess(`${GUARDED}void Promise.reject(${reason})\n${LIVES}`)
    expect(code).toBeGreaterThan(0)
    expect(out).toBe('')
    expect(err).toContain('a fault of ours')
  })

  it('knows stray stream events from failures', () => {
    expect(isStrayStreamEvent(new StreamCloseEvent())).toBe(true)
    expect(isStrayStreamEvent(new StreamAbortEvent(new Error('x')))).toBe(true)
    expect(isStrayStreamEvent(new Event('close'))).toBe(false)
    expect(isStrayStreamEvent(new Error('close'))).toBe(false)
  })

  it('leaves no listener behind', () => {
    const before = process.listeners('unhandledRejection')
    installRejectionGuard(new RecordingLogger())()
    expect(process.listeners('unhandledRejection')).toEqual(before)
  })
})
