/** One running program per data directory: a second start opens a window of the first. */
import { randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { prove } from './gate.ts'

/** What shows the windows of a program: Electron by itself; for the others whoever starts them does. */
export type Shell = 'electron' | 'link'

const Note = z.object({ port: z.int().min(1).max(65_535), secret: z.string(), shell: z.enum(['electron', 'link']) })
const Answer = z.object({ link: z.string(), proof: z.string() })
const ANSWER_WITHIN_MS = 3_000
const NONCE_BYTES = 16

const noteIn = (dataDir: string): string => join(dataDir, 'desktop.json')

/** Tells later starts where this one is. The returned function takes it back. */
export function announceInstance(dataDir: string, { port, secret, shell }: z.infer<typeof Note>): () => void {
  writeFileSync(noteIn(dataDir), JSON.stringify({ port, secret, shell }), { mode: 0o600 })
  // A file that was there keeps its mode.
  if (process.platform !== 'win32') chmodSync(noteIn(dataDir), 0o600)
  return () => rmSync(noteIn(dataDir), { force: true })
}

export interface Running {
  /** To a window of it. */
  readonly link: string
  readonly shell: Shell
}

/** The program that runs on this data directory; `undefined` when none does. */
export async function findRunning(dataDir: string, fragment: string): Promise<Running | undefined> {
  try {
    const { port, secret, shell } = Note.parse(JSON.parse(readFileSync(noteIn(dataDir), 'utf8')))
    const path = `/link?to=${encodeURIComponent(fragment)}`
    // Another one each time: an answer that was heard before is worth nothing.
    const nonce = randomBytes(NONCE_BYTES).toString('base64url')
    const question = `${nonce} ${path}`
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { 'x-skein-question': nonce, 'x-skein-proof': prove(secret, question) },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    if (!answer.ok) return undefined
    const { link, proof } = Answer.parse(await answer.json())
    return proof === prove(secret, `${question} ${link}`) ? { link, shell } : undefined
  } catch {
    return undefined
  }
}

const portIn = (dataDir: string): string => join(dataDir, 'desktop-port.json')

/** The port of the last time: with another the window would be another origin, without what it keeps (theme, language, drafts). */
export function lastPort(dataDir: string): number {
  try {
    return Note.shape.port.parse(JSON.parse(readFileSync(portIn(dataDir), 'utf8')))
  } catch {
    return 0
  }
}

export function keepPort(dataDir: string, port: number): void {
  writeFileSync(portIn(dataDir), JSON.stringify(port), { mode: 0o600 })
}
