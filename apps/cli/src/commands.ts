/** The commands that talk to a running client. */
import { isDeviceId, SkeinError } from '@skein/core'
import { type ApiClient, connectSocket, isServed, type SentMessage, socketPath, WaitState } from '@skein/node/api'
import { renderUnicodeCompact } from 'uqr'
import { parseDuration } from './arguments.ts'
import { explainCut } from './lost-client.ts'
import { EXIT, type Output } from './output.ts'
import { shownMessage } from './shown-message.ts'
import { oneLine } from './terminal-text.ts'

export interface Session {
  readonly dataDir: string
  readonly output: Output
}

/** Connects, runs, disconnects. */
export async function withApi(session: Session, work: (api: ApiClient) => Promise<number | undefined>): Promise<number> {
  const connection = await connectSocket(session.dataDir)
  try {
    return (await work(connection.api)) ?? EXIT.done
  } catch (error) {
    throw explainCut(error)
  } finally {
    await connection.close()
  }
}

export function duration(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) throw new SkeinError('USAGE', `«${text}» is not a duration; write 500ms, 20s, 5m, 2h or 1d.`)
  return milliseconds
}

function waitState(text: string): WaitState {
  const parsed = WaitState.safeParse(text)
  if (!parsed.success) throw new SkeinError('USAGE', `«${text}» is not a state; there are ${WaitState.options.join(', ')}.`)
  return parsed.data
}

export const TICK: Readonly<Record<SentMessage['state'], string>> = { queued: '·', carried: '↑', delivered: '✓', read: '✓✓', failed: '✗' }
export const time = (instant: number): string => new Date(instant).toLocaleString()

export const status = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const now = await api.status()
    const relays = now.relays.map(
      (relay) => `  relay    ${relay.url} — ${relay.reserved ? 'connected' : relay.connected ? 'connecting' : 'away'}`,
    )
    session.output.result(now, [`  account  ${now.account}`, `  device   ${now.device}`, ...relays].join('\n'))
  })

export const invite = (session: Session, { revoke, here = false }: { revoke?: string | true; here?: boolean }): Promise<number> =>
  revoke === undefined ? makeInvite(session, here) : revokeInvites(session, revoke)

const revokeInvites = (session: Session, which: string | true): Promise<number> =>
  withApi(session, async (api) => {
    const ended = await api.revoke(which === true ? {} : { invite: which })
    session.output.result(ended, ended.revoked === 1 ? 'One invite is revoked.' : `${ended.revoked} invites are revoked.`)
  })

const HERE =
  'A phone or computer on this network that opens it needs no Skein: the page comes from this device, while Skein runs here. What is kept there is of a guest: the page is not on https.\n'

/** A machine is on several networks, and only the phone knows which one it is on. */
const elsewhere = (others: readonly string[]): string =>
  others.length === 0 ? '' : `If nothing opens there, the phone may be on another network of this machine:\n${others.join('\n')}\n\n`

const makeInvite = (session: Session, here: boolean): Promise<number> =>
  withApi(session, async (api) => {
    const made = await api.invite({ here })
    session.output.result(
      made,
      `${renderUnicodeCompact(made.invite)}\n${made.invite}\n\n${elsewhere(made.others)}${here ? HERE : ''}Good until ${time(made.expires_at)}. Give it only to people you want to talk to.`,
    )
  })

export const add = (session: Session, text: string, options: { name?: string }): Promise<number> =>
  isDeviceId(text.trim()) ? ask(session, text.trim()) : addBy(session, text, options)

const ask = (session: Session, device: string): Promise<number> =>
  withApi(session, async (api) => {
    const asked = await api.ask({ device })
    const who = asked.contact === null ? 'The owner of this device' : `«${oneLine(asked.name)}»`
    session.output.result(asked, asked.state === 'accepted' ? `You and ${who} are contacts.` : `${who} is asked, and may say yes or not.`)
  })

const addBy = (session: Session, text: string, options: { name?: string }): Promise<number> =>
  withApi(session, async (api) => {
    const added = await api.add({ invite: text, ...options })
    session.output.result(
      added,
      added.state === 'accepted'
        ? `You and «${oneLine(added.name)}» are contacts.`
        : `«${oneLine(added.name)}» is added and will be a contact as soon as both of you are online.`,
    )
  })

export const contacts = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const listed = await api.contacts()
    const lines = listed.contacts.map(
      (each) => `${each.online ? '●' : '○'} ${oneLine(each.name)}  ${each.state === 'accepted' ? '' : `(${each.state}) `}${each.contact}`,
    )
    session.output.result(listed, lines.join('\n') || 'No contacts yet. Make an invite with «skein invite».')
  })

export const peers = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const listed = await api.peers()
    session.output.result(
      listed,
      listed.peers
        .map(
          (each) =>
            `${each.online ? '●' : '○'} ${oneLine(each.name) || 'unnamed'}  ${each.path}  ${each.device}${each.asked ? '  (asked)' : ''}`,
        )
        .join('\n') || 'Nobody is in sight.',
    )
  })

const TRUST = {
  unverified: 'Not verified. Compare these 60 digits with your contact, face to face or by telephone; then add --yes.',
  verified: 'Verified.',
  changed:
    'Verified once, but devices or keys have changed since, and nothing is sent. Ask whether that was them; then add --yes, or --no to go on unverified.',
} as const

export interface VerifyOptions {
  readonly yes?: boolean
  readonly no?: boolean
  /** What the other side reads out. */
  readonly match?: string
}

export const verify = (session: Session, contact: string, { yes, no, match }: VerifyOptions): Promise<number> =>
  withApi(session, async (api) => {
    if (no && (yes || match !== undefined)) throw new SkeinError('USAGE', '--no cannot stand beside --yes or --match.')
    const verified = no ? false : yes
    const shown = await api.verify({ contact, ...(verified === undefined ? {} : { verified }), ...(match === undefined ? {} : { match }) })
    session.output.result(shown, `${shown.safety_number}\n${TRUST[shown.trust]}`)
  })

export const change = (session: Session, contact: string, what: { name?: string; blocked?: boolean; muted?: boolean }): Promise<number> =>
  withApi(session, async (api) => {
    const changed = await api.change({ contact, ...what })
    session.output.result(changed, `«${oneLine(changed.name)}»${changed.blocked ? ' blocked' : ''}${changed.muted ? ' muted' : ''}`)
  })

export interface SendOptions {
  readonly wait: string
  readonly timeout: string
  readonly expire?: string
  readonly replyTo?: string
}

export const send = (session: Session, words: readonly string[], { wait, timeout, expire, replyTo }: SendOptions): Promise<number> => {
  const text = words.at(-1) ?? ''
  const recipients = words.slice(0, -1)
  if (recipients.length === 0) throw new SkeinError('USAGE', 'Say to whom and what: skein send CONTACT… -- TEXT')
  return withApi(session, async (api) => {
    const body = text === '-' ? await readStdin() : text
    if (body === '') throw new SkeinError('USAGE', 'There is nothing to send.')
    const reply = replyTo === undefined ? {} : { reply_to: replyTo }
    const limits = { timeout_ms: duration(timeout), ...(expire === undefined ? {} : { expire_ms: duration(expire) }), ...reply }
    const sent = await api.send({ contacts: [...recipients], text: body, wait: waitState(wait), ...limits })
    session.output.result(
      { messages: sent.messages },
      sent.messages.map((each) => `${TICK[each.state]} ${each.state}  ${each.id}`).join('\n'),
    )
    return exitOf(sent.messages, sent.timed_out)
  })
}

export const wait = (session: Session, id: string, { state, timeout }: { state: string; timeout: string }): Promise<number> =>
  withApi(session, async (api) => {
    const waited = await api.wait({ id, state: waitState(state), timeout_ms: duration(timeout) })
    session.output.result(waited.message, `${TICK[waited.message.state]} ${waited.message.state}`)
    return exitOf([waited.message], waited.timed_out)
  })

function exitOf(messages: readonly SentMessage[], timedOut: boolean): number {
  if (messages.some(({ state }) => state === 'failed')) return EXIT.failed
  return timedOut ? EXIT.timedOut : EXIT.done
}

async function readStdin(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString('utf8').replace(/\n$/, '')
}

export const history = (
  session: Session,
  contact: string,
  { after, before, limit }: { after?: string; before?: string; limit?: string },
): Promise<number> =>
  withApi(session, async (api) => {
    const most = limit === undefined ? undefined : Number(limit)
    if (most !== undefined && !(Number.isInteger(most) && most > 0)) throw new SkeinError('USAGE', '--limit takes a whole number from 1.')
    const page = await api.history({
      contact,
      ...(after === undefined ? {} : { after }),
      ...(before === undefined ? {} : { before }),
      ...(most === undefined ? {} : { limit: most }),
    })
    session.output.result(
      page,
      page.messages
        .map((each) => `${time(each.created_at)}  ${each.direction === 'in' ? '←' : `→ ${TICK[each.state]}`} ${shownMessage(each)}`)
        .join('\n'),
    )
  })

export const why = (session: Session, contact: string): Promise<number> =>
  withApi(session, async (api) => {
    const now = await api.why({ contact })
    const others = now.devices.filter(({ device }) => device !== now.device)
    session.output.result(
      now,
      [...wayLines(now), ...others.flatMap((each) => ['', `Device ${each.device}:`, ...wayLines(each)])].join('\n'),
    )
  })

type Way = Pick<Awaited<ReturnType<ApiClient['why']>>, 'path' | 'transport' | 'rtt_ms' | 'reasons'>

const wayLines = ({ path, transport, rtt_ms, reasons }: Way): readonly string[] => [
  path === 'none' ? 'Not connected.' : `${path} by ${transport ?? '?'}${rtt_ms === null ? '' : `, ${rtt_ms} ms`}`,
  ...reasons.map(({ rung, outcome, detail }) => `  ${rung}: ${outcome} — ${oneLine(detail)}`),
]

export const doctor = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const found = await api.doctor()
    session.output.result(
      found,
      found.checks.map(({ name, ok, detail }) => `${ok ? '✓' : '✗'} ${oneLine(name)}: ${oneLine(detail)}`).join('\n'),
    )
  })

export const events = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const closing = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => closing.abort())
    try {
      for await (const event of await api.events(undefined, { signal: closing.signal })) session.output.result(event, JSON.stringify(event))
    } catch (error) {
      if (!closing.signal.aborted) throw error
    }
  })

export const config = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const settings = await api.config()
    session.output.result(
      settings,
      Object.entries(settings)
        .map(([key, { value, origin }]) => `${key} = ${JSON.stringify(value)}  (${origin})`)
        .join('\n'),
    )
  })

/** How often to look whether the daemon has gone, and for how long. */
const GONE_POLL_MS = 25
const GONE_WITHIN_MS = 10_000

export async function stop(session: Session): Promise<number> {
  let pid = 0
  await withApi(session, async (api) => {
    ;({ pid } = await api.status())
    await api.stop()
  })
  const path = socketPath(session.dataDir)
  for (const until = Date.now() + GONE_WITHIN_MS; Date.now() < until; ) {
    if (!isRunning(pid) && !(await isServed(path))) {
      session.output.result({ stopped: true }, 'Stopped.')
      return EXIT.done
    }
    await new Promise((resolve) => setTimeout(resolve, GONE_POLL_MS))
  }
  throw new SkeinError('TIMED_OUT', 'The client did not stop in time.')
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
