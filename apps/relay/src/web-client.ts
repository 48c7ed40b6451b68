/** The web client as static files: whoever opens the relay's address in a browser has Skein. */
import { existsSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import files from '@fastify/static'
import { SkeinError } from '@skein/core'
import type { FastifyInstance } from 'fastify'

/** Files whose names change with their contents. */
const HASHED = /^_next\/static\//

/** Content security policy of the pages, made with them. */
const POLICY = 'content-security-policy.txt'

/** The page of the web client for an address that leads nowhere. */
const NOT_FOUND = '404.html'

export interface WebClient {
  readonly folder: string
  /** Content security policy of its pages. */
  readonly policy: string
}

/** @param folder `undefined` when none is wanted @throws SkeinError USAGE when a folder that was named holds no web client */
export function findWebClient(folder: string | undefined, usual: readonly string[]): WebClient | undefined {
  if (folder === 'off') return undefined
  const found = (folder === undefined ? usual : [folder]).find(isWebClient)
  if (found !== undefined) return { folder: found, policy: readFileSync(join(found, POLICY), 'utf8').trim() }
  if (folder === undefined) return undefined
  throw new SkeinError('USAGE', `--web names ${folder}, where there is no index.html with its content-security-policy.txt.`)
}

function isWebClient(folder: string): boolean {
  return existsSync(join(folder, 'index.html')) && existsSync(join(folder, POLICY))
}

/** Serves the files under `/`; other routes of the server go before. */
export async function serveWebClient(server: FastifyInstance, { folder, policy }: WebClient): Promise<void> {
  await server.register(files, {
    root: folder,
    index: ['index.html'],
    redirect: false,
    // The export has compressed copies beside its files.
    preCompressed: true,
    setHeaders: (reply, path) => {
      const isHashed = HASHED.test(relative(folder, path).split(sep).join('/'))
      void reply.header('vary', 'accept-encoding')
      void reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      void reply.header('content-security-policy', policy)
      void reply.header('x-content-type-options', 'nosniff')
      void reply.header('x-frame-options', 'DENY')
      void reply.header('referrer-policy', 'no-referrer')
      void reply.header('cross-origin-opener-policy', 'same-origin')
    },
  })
  if (!existsSync(join(folder, NOT_FOUND))) return
  server.setNotFoundHandler((request, reply) => {
    // People have lost their way; programs read the code.
    if (request.headers.accept?.includes('text/html') === true) return reply.code(404).sendFile(NOT_FOUND)
    return reply.code(404).send({ statusCode: 404, error: 'Not Found', message: 'There is nothing here.' })
  })
}
