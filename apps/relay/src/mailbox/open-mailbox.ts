/** The relay's mailbox on its ports: `/skein/mailbox/1` over the stack, on a store. */
import { randomBytes } from 'node:crypto'
import {
  type Channel,
  type Clock,
  type Logger,
  MAILBOX_PROTOCOL,
  type MailboxStore,
  MAX_MAIL_BYTES,
  type Origin,
  type Random,
} from '@skein/core'
import { MAILBOX_BOUNDS, type MailboxBound, type MailboxBounds, MailboxService, type MailboxUse } from '@skein/core/relay'
import { VoprfIssuer } from '@skein/core/tokens'
import { originOf } from '../admission/networks.ts'
import type { Settings } from '../settings.ts'
import { troubleOf } from '../sweeping.ts'
import { type Caller, nativePrimitives as primitives, type RelayStack, verifyOwnChoice } from '@skein/node/swarm'

/** Ms between removals of mail that has expired; fetching ignores it anyway. */
const SWEEP_MS = 10 * 60_000

export const relayClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms, { signal } = {}) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve(false)
      const timer = setTimeout(() => done(true), Math.max(0, ms))
      const cut = (): void => done(false)
      const done = (elapsed: boolean): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cut)
        resolve(elapsed)
      }
      signal?.addEventListener('abort', cut, { once: true })
    }),
}

export const relayRandom: Pick<Random, 'bytes'> & Random = {
  bytes: (length) => new Uint8Array(randomBytes(length)),
  uniform: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
}

type Limits = Settings['limits']

export interface MailboxOptions {
  /** Milliseconds since 1970 that have surely passed: what expired before is removed. */
  past(): number
  /** Asked each time: the operator may change them. */
  limits(): Limits
  /** The store has failed. */
  onTrouble(error: unknown): void
  /** Somebody was turned away, or made to wait, at a bound. */
  onRefused(service: MailboxBound): void
  /** A request could not be read, or replies are not taken. */
  onOffence(what: string): void
  /** As of the service behind it. */
  pace(origin: Origin, bytes: number): number
  readonly store: MailboxStore
  /** Of the relay, 32 bytes. */
  readonly seed: Uint8Array
  readonly logger: Logger
  /** All mail together, bytes. */
  readonly maxBytes?: number
  /** Ends the store with the mailbox. */
  readonly close?: () => Promise<void> | undefined
}

export interface Mailbox extends AsyncDisposable {
  /** Never rejects: of a database elsewhere that is away it is nothing. */
  totals(): ReturnType<MailboxStore['totals']>
  /** Whether the database did not answer the last time that `totals` was asked for. */
  isAway(): boolean
  use(): MailboxUse
}

const rightVerifier = { ed25519Verify: verifyOwnChoice }

/** Serves from now on. */
export async function openMailbox(
  stack: RelayStack,
  { seed, logger, limits, onRefused, onOffence, pace, past, maxBytes = MAX_MAIL_BYTES, close, ...options }: MailboxOptions,
): Promise<Mailbox> {
  const store = watched(options.store, options.onTrouble)
  const issuer = new VoprfIssuer({ primitives, clock: relayClock, seed, issuer: stack.peerId })
  const isMember = (peer: string): boolean => stack.hasPlace(peer)
  const deps = { store, seed, logger, issuer, primitives, isMember, clock: relayClock, random: relayRandom, limits: { maxBytes } }
  const service = new MailboxService({ ...deps, rightVerifier, bounds: () => boundsOf(limits()), onBound: onRefused, onOffence, pace })
  const sweep = (): void => void store.sweep(past()).catch((error: unknown) => logger.error('mail-not-swept', troubleOf(error)))
  const sweeping = setInterval(sweep, SWEEP_MS)
  const serve = (channel: Channel, { address, connection }: Caller): Promise<void> => service.serve(channel, originOf(address, connection))
  await stack.serveChannel(MAILBOX_PROTOCOL, serve, 'mail')
  let isAway = false
  const totals = async (): ReturnType<MailboxStore['totals']> => {
    const kept = await store.totals().catch(() => undefined)
    isAway = kept === undefined
    return kept ?? { envelopes: 0, bytes: 0 }
  }
  return {
    totals,
    isAway: () => isAway,
    use: () => service.use(),
    [Symbol.asyncDispose]: async () => {
      clearInterval(sweeping)
      await close?.()
    },
  }
}

/** The same store; whoever asked is told of what fails as well. */
function watched(store: MailboxStore, onTrouble: MailboxOptions['onTrouble']): MailboxStore {
  const watch = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      onTrouble(error)
      throw error
    })
  return {
    deposit: (...given) => watch(store.deposit(...given)),
    fetch: (...given) => watch(store.fetch(...given)),
    forget: (...given) => watch(store.forget(...given)),
    grant: (...given) => watch(store.grant(...given)),
    sweep: (...given) => watch(store.sweep(...given)),
    totals: () => watch(store.totals()),
  }
}

function boundsOf(limits: Limits): MailboxBounds {
  const { mailStreams, mailStreamsPerAddress, mailStreamsPerNetwork, mailTags, mailTagsPerAddress, mailTagsPerNetwork } = limits
  const { streams, tags, bytes } = MAILBOX_BOUNDS
  return {
    streams: { ...streams, address: mailStreamsPerAddress, network: mailStreamsPerNetwork, total: mailStreams },
    tags: { ...tags, address: mailTagsPerAddress, network: mailTagsPerNetwork, total: mailTags },
    bytes,
  }
}
