/** `skein backup` and `skein restore`. */
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { isSkeinError, SkeinError } from '@skein/core'
import type { Session } from './commands.ts'
import { withApi } from './commands.ts'
import { EXIT } from './output.ts'
import { askPassphrase } from './passphrase.ts'

/** Shorter ones are guessed by whoever finds the file. */
const MIN_PASSPHRASE = 8

export const backup = (session: Session, file: string, { plain }: { plain?: boolean }): Promise<number> =>
  withApi(session, async (api) => {
    const passphrase = plain === true ? null : await passphraseFor('new')
    const bytes = await writeWhole(file, await api.backup({ passphrase }))
    session.output.result(
      { file, bytes, sealed: passphrase !== null },
      passphrase === null
        ? `Contacts and history are in ${file}, for everybody to read.`
        : `Everything is in ${file}; keep it and its passphrase apart.`,
    )
  })

export async function restore(session: Session, file: string): Promise<number> {
  const { loadConfig, restoreBackup } = await import('@skein/node')
  const passphrase = await passphraseFor('existing')
  const { dataDir, output } = session
  const loaded = loadConfig({ dataDir, env: process.env, flags: {} })
  const stream = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>
  const restored = await restoreBackup({ dataDir, ...loaded, file: stream, passphrase, askPassphrase }).catch((error: unknown) => {
    throw isMissing(error) ? new SkeinError('USAGE', `There is no file ${file}.`) : error
  })
  const { contacts, messages } = restored
  output.result(restored, `${contacts} contacts and ${messages} messages are back. Start with «skein up».`)
  return EXIT.done
}

function isMissing(error: unknown): boolean {
  const cause = isSkeinError(error) ? error.cause : error
  return (cause as { code?: unknown } | undefined)?.code === 'ENOENT'
}

/** SKEIN_BACKUP_PASSPHRASE goes before whoever is at the terminal. @throws SkeinError USAGE */
async function passphraseFor(need: 'new' | 'existing'): Promise<string> {
  const given = process.env['SKEIN_BACKUP_PASSPHRASE'] ?? (await askPassphrase(need))
  if (given === undefined) throw new SkeinError('USAGE', 'Say the passphrase of the backup: set SKEIN_BACKUP_PASSPHRASE.')
  if (given.length < MIN_PASSPHRASE) throw new SkeinError('USAGE', `The passphrase has at least ${MIN_PASSPHRASE} characters.`)
  return given
}

/** The file appears under its name when it is whole and durable. @returns its bytes */
async function writeWhole(file: string, parts: AsyncIterable<{ readonly part: string }>): Promise<number> {
  const unfinished = `${file}.part`
  const handle = await open(unfinished, 'w', 0o600)
  let bytes = 0
  try {
    for await (const { part } of parts) {
      const { bytesWritten } = await handle.write(Buffer.from(part, 'base64'))
      bytes += bytesWritten
    }
    await handle.sync()
  } catch (error) {
    await rm(unfinished, { force: true })
    throw error
  } finally {
    await handle.close()
  }
  await rename(unfinished, file)
  return bytes
}
