/** One running program per data directory: a second start opens a window of the first. */
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'

const Note = z.object({ port: z.int().min(1).max(65_535), secret: z.string() })
const ANSWER_WITHIN_MS = 3_000

const noteIn = (dataDir: string): string => join(dataDir, 'desktop.json')

/** Tells later starts where this one is. The returned function takes it back. */
export function announceInstance(dataDir: string, { port, secret }: z.infer<typeof Note>): () => void {
  writeFileSync(noteIn(dataDir), JSON.stringify({ port, secret }), { mode: 0o600 })
  // A file that was there keeps its mode.
  if (process.platform !== 'win32') chmodSync(noteIn(dataDir), 0o600)
  return () => rmSync(noteIn(dataDir), { force: true })
}

/** A link to a window of the program that runs on this data directory; `undefined` when none does. */
export async function linkOfRunning(dataDir: string, fragment: string): Promise<string | undefined> {
  try {
    const { port, secret } = Note.parse(JSON.parse(readFileSync(noteIn(dataDir), 'utf8')))
    const answer = await fetch(`http://127.0.0.1:${port}/link?to=${encodeURIComponent(fragment)}`, {
      headers: { 'x-skein-secret': secret },
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    return answer.ok ? z.object({ link: z.string() }).parse(await answer.json()).link : undefined
  } catch {
    return undefined
  }
}
