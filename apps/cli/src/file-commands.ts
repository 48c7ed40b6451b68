/** Commands about files. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { SkeinError } from '@skein/core'
import type { ApiClient, TransferView } from '@skein/node/api'
import { parseDuration } from './arguments.ts'
import { type Session, withApi } from './commands.ts'
import { Following } from './following.ts'
import { sendGrowing } from './growing.ts'
import { EXIT } from './output.ts'
import { spooled } from './spool.ts'
import { oneLine } from './terminal-text.ts'
import { isFinal } from './transfer-states.ts'
import { described, line, size, UNITS } from './transfer-text.ts'

export interface SendFileOptions {
  readonly wait?: boolean
  readonly timeout?: string
  /** Of what comes through a pipe. */
  readonly name?: string
}

export const sendFile = (session: Session, words: readonly string[], options: SendFileOptions): Promise<number> =>
  withApi(session, async (api) => {
    const { contacts, paths } = await told(api, words)
    // What comes through a pipe is not kept for nobody.
    if (paths.includes('-')) for (const each of contacts) await accountOf(api, each)
    const follow = new Following(api, session.output)
    await follow.begin()
    try {
      const piped = { paths, from: process.stdin, name: options.name, signal: follow.signal }
      await spooled(session.dataDir, piped, {
        whole: async (named) => follow.addAll((await api.sendFiles({ contacts: [...contacts], paths: [...named] })).transfers),
        growing: async (path) => {
          const growing = await sendGrowing(api, { contacts, path })
          follow.addAll(growing.transfers)
          return growing
        },
      })
      if (!options.wait) return EXIT.done
      return await follow.untilOver(timeoutOf(options.timeout))
    } finally {
      follow.end()
    }
  })

/** Whoever comes first is a contact; the words after it as long as they name one, and the rest are paths. */
export async function told(
  api: Pick<ApiClient, 'contacts'>,
  words: readonly string[],
): Promise<{ contacts: readonly string[]; paths: readonly string[] }> {
  if (words.length < 2) throw new SkeinError('USAGE', 'Say to whom and what: skein send-file CONTACT… PATH…')
  const { contacts } = await api.contacts()
  const names = (word: string): boolean =>
    contacts.some(({ contact, name }) => name === word || (word.length >= 8 && contact.startsWith(word)))
  let count = 1
  while (count < words.length - 1 && names(words[count] ?? '')) count += 1
  // What a contact is called is not for the contact to turn against what lies here.
  const both = words.slice(1, count).find((word) => existsSync(word))
  if (both !== undefined)
    throw new SkeinError(
      'USAGE',
      `«${oneLine(both)}» is a contact and a file here: write ./${oneLine(both)}, or the account of the contact.`,
    )
  const paths = words.slice(count)
  const missing = paths.find((path) => path !== '-' && !existsSync(path))
  if (missing !== undefined) throw notThere(missing)
  if (paths.filter((path) => path === '-').length > 1) throw new SkeinError('USAGE', '«-» reads stdin, and there is only one.')
  return { contacts: words.slice(0, count), paths }
}

/** Arguments of programs are text here: bytes that are none were lost before anybody saw them. */
function notThere(word: string): SkeinError {
  const advice = word.includes('\ufffd') ? ' If its name is not UTF-8, send the folder it lies in.' : ''
  return new SkeinError('FILE_UNREADABLE', `«${oneLine(word)}» is neither a contact nor a file that is there.${advice}`)
}

export interface ReceiveOptions {
  readonly dir?: string
  readonly from?: string
  readonly once?: boolean
  readonly timeout?: string
  readonly always?: string
}

export const receive = (session: Session, { dir = '.', from, once, timeout, always }: ReceiveOptions): Promise<number> =>
  withApi(session, async (api) => {
    const folder = resolve(dir)
    const contact = from === undefined ? undefined : await accountOf(api, from)
    if (always !== undefined) return acceptAlways(session, api, { from, folder, always })
    const follow = new Following(api, session.output)
    const accept = ({ transfer }: TransferView): void => void api.accept({ transfer, folder }).catch((error: unknown) => follow.fail(error))
    const take = taking({ contact, once: once === true, accept })
    await follow.begin(take)
    try {
      const { transfers } = await api.transfers()
      for (const each of transfers.toReversed()) if (take(each)) follow.add(each)
      return await follow.untilOver(timeoutOf(timeout), once === true ? 'first' : 'never')
    } finally {
      follow.end()
    }
  })

export interface Taking {
  /** From whom; from everybody without. */
  readonly contact: string | undefined
  /** One offer alone is accepted. */
  readonly once: boolean
  accept(transfer: TransferView): void
}

/** Which transfers `receive` follows: what comes to us, and what it accepts. What was accepted before may wait for long, and keeps no offer from being the first that is there. */
export function taking({ contact, once, accept }: Taking): (transfer: TransferView) => boolean {
  const taken = new Set<string>()
  let hasAccepted = false
  return (each) => {
    const { transfer, direction, state, replaces } = each
    if (taken.has(transfer)) return true
    if (direction !== 'in' || (contact !== undefined && each.contact !== contact) || isFinal(each) || state === 'paused') return false
    const isOffered = state === 'offered'
    if (isOffered && once && hasAccepted && !taken.has(replaces ?? '')) return false
    taken.add(transfer)
    hasAccepted ||= isOffered
    if (isOffered) accept(each)
    return true
  }
}

async function accountOf(api: ApiClient, wanted: string): Promise<string> {
  return (await api.autoAccept({ contact: wanted })).contact
}

/** `off`, or the most that one transfer may bring. */
async function acceptAlways(
  session: Session,
  api: ApiClient,
  { from, folder, always }: { readonly from: string | undefined; readonly folder: string; readonly always: string },
): Promise<number> {
  if (from === undefined) throw new SkeinError('USAGE', 'Say whose files are always accepted: --from CONTACT.')
  const auto = always === 'off' ? null : { max_bytes: bytesOf(always), folder }
  const set = await api.autoAccept({ contact: from, auto })
  const { auto: now } = set
  session.output.result(
    set,
    now === null ? 'You are asked from now on.' : `Up to ${size(now.max_bytes)} are accepted from now on, into ${now.folder}.`,
  )
  return EXIT.done
}

/** Bytes of `500MB`; powers of ten. */
function bytesOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?B)$/i.exec(text)
  const unit = UNITS.indexOf((match?.[2] ?? '').toUpperCase() as (typeof UNITS)[number])
  if (match === null || unit < 0) throw new SkeinError('USAGE', `«${text}» is not a size; write 500KB, 20MB, 5GB or off.`)
  return Math.round(Number(match[1]) * 1_000 ** unit)
}

export interface TransferOptions {
  readonly pause?: string
  readonly resume?: string
  readonly cancel?: string
  readonly rate?: string
}

/** Lists them, or changes one. */
export const transfers = (session: Session, { pause, resume, cancel, rate }: TransferOptions): Promise<number> =>
  withApi(session, async (api) => {
    if (rate !== undefined) {
      const set = await api.transferRate({ rate: rate === 'off' ? 0 : bytesOf(rate) })
      session.output.result(
        set,
        set.rate === 0 ? 'Transfers are as fast as they can be.' : `Transfers take at most ${size(set.rate)} a second.`,
      )
      return
    }
    const changed = await changeOne(api, { pause, resume, cancel })
    if (changed !== undefined) session.output.result(line(changed), described(changed))
    else await listAll(session, api)
    return EXIT.done
  })

async function listAll(session: Session, api: ApiClient): Promise<void> {
  const listed = await api.transfers()
  session.output.result(listed, listed.transfers.map(described).join('\n') || 'No files are on their way.')
}

async function changeOne(
  api: ApiClient,
  { pause, resume, cancel }: { [K in 'pause' | 'resume' | 'cancel']: string | undefined },
): Promise<TransferView | undefined> {
  if (pause !== undefined) return api.pause({ transfer: pause })
  if (resume !== undefined) return api.resume({ transfer: resume })
  return cancel === undefined ? undefined : api.end({ transfer: cancel })
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw new SkeinError('USAGE', `«${text}» is not a duration; write 500ms, 20s, 5m, 2h or 1d.`)
  return milliseconds
}
