/** Opens the client: in this page, or, in a window of the desktop program, the one behind the page. */
import type { Tab } from '@skein/node/browser'
import { keep, KEYS, readKept } from './kept.ts'

/** Time for the page's own server to say what it is, ms; a page shown without network does not wait for longer. */
const ASK_WITHIN_MS = 3_000
const ASK_AGAIN_MS = 500

export interface ConnectOptions {
  readonly name: string
  passphrase(need: 'new' | 'existing'): Promise<string | undefined>
  onFailure(error: unknown): void
}

export interface Surroundings {
  /** Path of the API, if a program on this computer runs the client. */
  readonly hostApi: string | undefined
  /** URL of the relay that served the page, if one did. */
  readonly ownRelay: string | undefined
}

/** @returns `null` when there was an answer, and it is not such a document, `undefined` when there was none */
async function ask(path: string): Promise<Record<string, unknown> | null | undefined> {
  const answer = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(ASK_WITHIN_MS) }).catch(() => undefined)
  // Who refuses for now, or puts a page of its own in between, says nothing about what is here.
  const isSaid = answer !== undefined && (answer.ok || answer.status === 404)
  const value: unknown = isSaid ? await answer.json().catch(() => (answer.ok ? undefined : null)) : undefined
  if (answer === undefined || value === undefined) return undefined
  const isVersion1 = answer.ok && typeof value === 'object' && value !== null && 'version' in value && value.version === 1
  return isVersion1 ? (value as Record<string, unknown>) : null
}

const SESSION = 'skein.session'
let session: string | undefined

/**
 * Takes what a host hands over to the window that it opens out of the address: `#session=…&to=…`. It stays with this tab of
 * this origin, also when the page is loaded anew.
 */
function takeSession(): void {
  const { hash, hostname } = globalThis.location
  // Anybody can write such a link to a relay, whose page would wait for a program that is not there.
  if (!hash.startsWith('#session=') || !/^(127\.0\.0\.1|localhost)$/.test(hostname)) return
  const given = new URLSearchParams(hash.slice(1))
  session = given.get('session') ?? ''
  globalThis.history.replaceState(null, '', `#${given.get('to') ?? ''}`)
  try {
    globalThis.sessionStorage.setItem(SESSION, session)
  } catch {
    // Without storage it lasts as long as the page.
  }
}

/** There is no program here, whatever a link said. */
function forgetSession(): void {
  session = undefined
  try {
    globalThis.sessionStorage.removeItem(SESSION)
  } catch {
    // Nothing was kept.
  }
}

function hostSession(): readonly string[] {
  try {
    const kept = session ?? globalThis.sessionStorage.getItem(SESSION)
    return kept === null ? [] : [kept]
  } catch {
    return []
  }
}

/** Asks the server of the page; where it does not answer, what it was the last time counts. */
export async function lookAround(): Promise<Surroundings> {
  takeSession()
  const [first, relay] = await Promise.all([ask('/host.json'), ask('/relay.json')])
  let host = first
  // A window that a program has opened is that program's, however slow it is to answer.
  for (; host === undefined && hostSession().length > 0; host = await ask('/host.json'))
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS))
  const api = host?.['api']
  if (typeof api === 'string' && api.startsWith('/')) return { hostApi: api, ownRelay: undefined }
  if (host === null) forgetSession()
  if (relay !== undefined) keep(KEYS.relay, relay === null ? '' : globalThis.location.origin)
  const known = readKept(KEYS.relay)
  return { hostApi: undefined, ownRelay: known === globalThis.location.origin ? known : undefined }
}

/** The client's code: loaded while the user reads the welcome. */
const browser = () => import('@skein/node/browser')

/** Begins to load the client's code, for whoever is about to need it. */
export function preload(): void {
  browser().catch(() => undefined)
}

/** Shortest passphrase that is taken: a shorter one is guessed by whoever has the device. */
export const MIN_PASSPHRASE = 8

/** Of the identity within the origin. */
export const NAME = 'skein'
/** Of this page: what they have open cannot be deleted. */
export const workers = new Set<Worker>()
function start(script: string): Worker {
  const worker = new Worker(script, { type: 'module' })
  workers.add(worker)
  return worker
}
export const startWorker = (): Worker => start('/store-worker.js')
const startFileWorker = (): Worker => start('/file-worker.js')

export const isSealed = async (): Promise<boolean> => (await browser()).hasPassphrase(NAME)

export const isHere = async (): Promise<boolean> => (await browser()).hasIdentity(NAME)

/** @throws Error with the code NOT_LOADED, NO_SESSION where this window was given no way to the program behind it */
export async function connect({ hostApi, ownRelay }: Surroundings, options: ConnectOptions): Promise<Tab> {
  if (hostApi !== undefined && hostSession().length === 0) throw Object.assign(new Error('no session'), { code: 'NO_SESSION' })
  const { openBrowser, openHost, systemClock } = await browser().catch((cause: unknown) => {
    throw Object.assign(new Error('the code of the client was not loaded', { cause }), { code: 'NOT_LOADED' })
  })
  const { origin } = globalThis.location
  if (hostApi !== undefined)
    return openHost({ url: `${origin.replace(/^http/, 'ws')}${hostApi}`, protocols: ['skein', ...hostSession()] }, systemClock)
  return openBrowser({
    name: NAME,
    config: { name: options.name, relays: ownRelay === undefined ? [] : [ownRelay] },
    startWorker,
    startFileWorker,
    passphrase: options.passphrase,
    onFailure: options.onFailure,
  })
}
