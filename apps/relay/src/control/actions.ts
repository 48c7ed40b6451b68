/** What the commands ask of a relay. The same functions serve a running one, over its socket, and one that is off. */
import { isDeepStrictEqual } from 'node:util'
import { SkeinError } from '@skein/core'
import * as z from 'zod'
import { type Membership, requirePeerId } from '../admission/membership.ts'
import { makeBackup } from '../backup.ts'
import type { RelayStore } from '../relay-store.ts'
import { failureOf } from './failures.ts'
import { changeSettings, loadSettings, type Settings } from '../settings.ts'

/** A relay that runs, as far as the commands need it. */
export interface RunningRelay {
  status(): Record<string, unknown>
  /** Those in force. */
  settings(): Settings
  reload(): Settings
  /** Ends the connections of a peer that is denied from now on. */
  disconnect(peer: string): Promise<void>
  /** Frees the place of a peer that does not belong here any more, and ends its connections: it learns of it by coming again. */
  release(peer: string): Promise<void>
  /** Resolves when everybody has been told; the process ends after that. */
  drain(): Promise<Record<string, unknown>>
}

export interface Target {
  readonly dataDir: string
  readonly store: RelayStore
  readonly membership: Membership
  readonly running?: RunningRelay | undefined
}

const peerInput = z.strictObject({ peer: z.string(), note: z.string().max(200).default('') })

const INPUTS = {
  status: z.strictObject({}),
  reload: z.strictObject({}),
  drain: z.strictObject({}),
  'token-create': z.strictObject({
    label: z.string().max(100).default(''),
    expiresAt: z.int().positive().optional(),
    uses: z.int().min(1).max(1e9).optional(),
  }),
  'token-list': z.strictObject({}),
  'token-revoke': z.strictObject({ id: z.string().max(32), members: z.boolean().default(false) }),
  members: z.strictObject({}),
  allow: peerInput,
  deny: peerInput,
  forget: peerInput,
  verdicts: z.strictObject({}),
  limits: z.strictObject({ changes: z.record(z.string().max(100), z.unknown()) }),
  backup: z.strictObject({}),
} as const

export type ActionName = keyof typeof INPUTS
type Input<Name extends ActionName> = z.infer<(typeof INPUTS)[Name]>
type Action<Name extends ActionName> = (target: Target, input: Input<Name>) => Promise<Record<string, unknown>> | Record<string, unknown>

const ACTIONS: { readonly [Name in ActionName]: Action<Name> } = {
  status: (target) => ({ running: true, ...running(target).status() }),
  reload: (target) => ({ settings: running(target).reload() }),
  drain: (target) => running(target).drain(),
  'token-create': ({ membership }, input) => membership.createToken(input),
  'token-list': ({ membership }) => ({ tokens: membership.tokens() }),
  'token-revoke': async ({ membership, running }, { id, members }) => {
    const revoked = membership.revokeToken(id)
    const removed = members ? membership.removeBroughtBy(id) : []
    await Promise.all(removed.map((peer) => running?.release(peer)))
    return { revoked, removed: removed.length }
  },
  members: ({ membership }) => ({ members: membership.members() }),
  allow: ({ membership }, { peer, note }) => {
    membership.decide(requirePeerId(peer), 'allow', note)
    return { peer, verdict: 'allow' }
  },
  deny: async (target, { peer, note }) => {
    target.membership.decide(requirePeerId(peer), 'deny', note)
    await target.running?.disconnect(peer)
    return { peer, verdict: 'deny' }
  },
  forget: async ({ membership, running }, { peer }) => {
    const forgotten = membership.undecide(requirePeerId(peer))
    await running?.release(peer)
    return { peer, forgotten }
  },
  verdicts: ({ membership }) => ({ members: membership.memberCount(), verdicts: membership.verdicts() }),
  limits: (target, { changes }) => {
    if (Object.keys(changes).length > 0) {
      const settings = changeSettings(target.dataDir, changes)
      target.running?.reload()
      return { settings, in_force: target.running !== undefined, pending: false }
    }
    if (target.running === undefined) return { settings: loadSettings(target.dataDir), in_force: false, pending: false }
    return { settings: target.running.settings(), in_force: true, ...pendingIn(target.dataDir, target.running.settings()) }
  },
  backup: async ({ dataDir, store }) => ({ ...(await makeBackup({ dataDir, database: store.database })) }),
}

/** Whether the file says something else than what is in force: it has been edited and not been read again, or is wrong. */
function pendingIn(dataDir: string, inForce: Settings): { readonly pending: boolean; readonly wrong?: string } {
  try {
    return { pending: !isDeepStrictEqual(loadSettings(dataDir), inForce) }
  } catch (error) {
    return { pending: true, wrong: failureOf(error).message }
  }
}

/** Asked of a relay that is off, these open nothing and make nothing. */
export const NEEDS_RUNNING: ReadonlySet<ActionName> = new Set<ActionName>(['status', 'reload', 'drain'])

export function isAction(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name)
}

/** @throws SkeinError USAGE for input of the wrong form, NO_DAEMON for what only a running relay can do, and those of the action */
export async function act(target: Target, name: ActionName, input: unknown): Promise<Record<string, unknown>> {
  const parsed = INPUTS[name].safeParse(input)
  if (!parsed.success) throw new SkeinError('USAGE', `${name}: ${parsed.error.issues[0]?.message ?? 'the input is wrong'}.`)
  return (ACTIONS[name] as Action<ActionName>)(target, parsed.data as never)
}

function running({ running, dataDir }: Target): RunningRelay {
  if (running === undefined) throw new SkeinError('NO_DAEMON', `No relay is running on ${dataDir}.`)
  return running
}
