/** Asking relays, on Node.js. The address that is asked is the one that was judged, also behind a name; no proxies. */
import { lookup as resolve } from 'node:dns'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { type GetText, hostOf, type MayReach } from './asking.ts'

/** Somebody answers, but with another status than 200, or with too much. */
export class UnfitAnswer extends Error {
  /** Where it sends whoever asks. */
  readonly location: string | undefined

  constructor(message: string, location?: string) {
    super(message)
    this.location = location
  }
}

const anywhere: MayReach = () => true

export const getText: GetText = async (url, { signal, maxBytes, mayReach = anywhere, onDate }) => {
  const host = hostOf(url.href)
  if (isIP(host) !== 0 && !mayReach(host)) throw new Error('an address that others may not name')
  const { get } = url.protocol === 'https:' ? https : http
  const response = await new Promise<IncomingMessage>((done, failed) =>
    get(url, { signal, lookup: guardedLookup(mayReach), agent: false, headers: { accept: 'application/json' } }, done).once(
      'error',
      failed,
    ),
  )
  try {
    if (response.statusCode !== 200) throw new UnfitAnswer(`status ${response.statusCode}`, response.headers.location)
    onDate?.(response.headers.date ?? null)
    return await readBounded(response, maxBytes)
  } finally {
    response.destroy()
  }
}

function guardedLookup(mayReach: MayReach): LookupFunction {
  return (hostname, options, callback) =>
    resolve(hostname, { ...options, all: true }, (error, found) => {
      const [first, ...rest] = error === null ? found.filter(({ address }) => mayReach(address)) : []
      if (first === undefined) return callback(error ?? new Error('a name that others may not name'), [])
      if (options.all) return callback(null, [first, ...rest])
      callback(null, first.address, first.family)
    })
}

async function readBounded(response: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const parts: Buffer[] = []
  let total = 0
  for await (const part of response) {
    total += part.length
    if (total > maxBytes) throw new UnfitAnswer('too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
