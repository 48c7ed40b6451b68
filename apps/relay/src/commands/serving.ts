/** `skein-relay status --wait`: what scripts ask that start a relay, before they say that it runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { SkeinError } from '@skein/core'
import { perform } from '../control/socket.ts'

const LOOK_EVERY_MS = 250
/** Reasons not to be ready that lie outside the program: neither another version nor another start helps against them. */
const OUTSIDE: ReadonlySet<unknown> = new Set(['certificate', 'disk', 'budget'])

/** The status, once every part runs. @throws SkeinError TIMED_OUT with what is missing */
export async function waitUntilServing(dataDir: string, withinMs: number): Promise<Record<string, unknown>> {
  const end = performance.now() + withinMs
  for (;;) {
    const { status, missing } = await look(dataDir)
    if (status !== undefined && missing.length === 0) return status
    if (performance.now() >= end)
      throw new SkeinError('TIMED_OUT', status === undefined ? `No relay answers on ${dataDir}.` : `Not ready yet: ${missing.join(', ')}.`)
    await sleep(LOOK_EVERY_MS)
  }
}

/** Between two starts nobody answers, or breaks off in the middle. */
async function look(dataDir: string): Promise<{ status?: Record<string, unknown>; missing: readonly unknown[] }> {
  try {
    const status = await perform(dataDir, 'status', {})
    const waiting = Array.isArray(status['waiting']) ? (status['waiting'] as unknown[]) : []
    return { status, missing: waiting.filter((each) => !OUTSIDE.has(each)) }
  } catch {
    return { missing: [] }
  }
}
