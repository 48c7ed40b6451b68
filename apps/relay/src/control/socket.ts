/** The relay's control socket: JSON over HTTP on a Unix socket or named pipe that only its user can open. */
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isSkeinError, type Logger, SkeinError } from '@skein/core'
import { fastify } from 'fastify'
import { Membership } from '../admission/membership.ts'
import { openRelayStore } from '../relay-store.ts'
import { type Failure, failureOf } from './failures.ts'
import { act, type ActionName, isAction, NEEDS_RUNNING, type Target } from './actions.ts'

/** Longest path a Unix socket may have on every platform (sun_path is 104 bytes on macOS). */
const MAX_SOCKET_PATH = 100
/** For an answer, ms; draining takes longest. */
const ANSWER_WITHIN_MS = 60_000
/** For a backup, ms: of the mail of many members on a slow disk. */
const BACKUP_WITHIN_MS = 3_600_000
const MAX_BODY_BYTES = 65_536

export function controlPath(dataDir: string): string {
  const name = createHash('sha256').update(resolve(dataDir)).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\skein-relay-${name}`
  const inside = join(resolve(dataDir), 'control.sock')
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside
  return join(tmpdir(), `skein-relay-${userInfo().uid}`, `${name}.sock`)
}

/** Serves the actions of a relay that runs; the store is its own, so nobody else can be serving there. */
export async function serveControl({ logger, ...target }: Target & { readonly logger: Logger }): Promise<AsyncDisposable> {
  const path = controlPath(target.dataDir)
  const server = fastify({ logger: false, bodyLimit: MAX_BODY_BYTES, forceCloseConnections: true })
  server.post<{ Params: { name: string } }>('/:name', async ({ params: { name }, body }, reply) => {
    if (!isAction(name)) return reply.code(404).send({ error: { code: 'USAGE', message: 'There is no such action.' } })
    try {
      return { result: await act(target, name, body ?? {}) }
    } catch (error) {
      if (!isSkeinError(error)) logger.error('command-failed', { command: name, meaning: String(error) })
      return reply.code(400).send({ error: failureOf(error) })
    }
  })
  if (process.platform !== 'win32') {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    rmSync(path, { force: true })
  }
  await server.listen({ path })
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  return { [Symbol.asyncDispose]: () => server.close() }
}

/**
 * Asks the relay that runs on `dataDir`, or does it on the files of one that is off.
 * @throws SkeinError what the action throws; NO_DAEMON when it needs a running relay
 */
export async function perform(dataDir: string, name: ActionName, input: unknown): Promise<Record<string, unknown>> {
  const answer = await ask(dataDir, { name, input })
  if (answer !== undefined) return answer
  if (NEEDS_RUNNING.has(name)) throw new SkeinError('NO_DAEMON', `No relay is running on ${dataDir}.`)
  using store = openRelayStore(dataDir)
  return await act({ dataDir, store, membership: new Membership(store.database, Date.now) }, name, input)
}

interface Answer {
  readonly result?: Record<string, unknown>
  readonly error?: Failure
}

/** `undefined` when no relay answers. */
async function ask(
  dataDir: string,
  { name, input }: { readonly name: string; readonly input: unknown },
): Promise<Record<string, unknown> | undefined> {
  const text = await post(controlPath(dataDir), { path: `/${name}`, body: JSON.stringify(input) })
  if (text === undefined) return undefined
  const { result, error } = JSON.parse(text) as Answer
  if (result !== undefined) return result
  if (error?.code === undefined || error.code === 'INTERNAL') throw new Error(error?.message ?? 'The relay gave no answer.')
  throw new SkeinError(error.code, error.message)
}

function post(socketPath: string, { path, body }: { readonly path: string; readonly body: string }): Promise<string | undefined> {
  return new Promise((done, fail) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const timeout = path === '/backup' ? BACKUP_WITHIN_MS : ANSWER_WITHIN_MS
    const call = request({ socketPath, path, method: 'POST', headers, timeout }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => done(Buffer.concat(parts).toString('utf8')))
      response.on('error', fail)
    })
    call.on('timeout', () => call.destroy(new SkeinError('TIMED_OUT', 'The relay does not answer.')))
    call.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' || error.code === 'ECONNREFUSED' ? done(undefined) : fail(error),
    )
    call.end(body)
  })
}
