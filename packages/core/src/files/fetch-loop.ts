/** What the fetcher knows of a transfer that it looks after. */
import type { ContactBook } from '../contacts/index.ts'
import { isSkeinError } from '../errors/index.ts'
import type { DeviceId } from '../ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Swarm } from '../ports/swarm.ts'
import type { ContentFetch } from './content-fetch.ts'
import { FILE_PROTOCOL, linkOn } from './file-link.ts'
import type { FileLink } from './file-ports.ts'
import { LEAVE_WITHIN_MS, MAX_ODDITIES } from './limits.ts'
import { LinkReader } from './link-reader.ts'
import type { Source } from './source-lane.ts'

export interface Loop {
  /** Ends the wait for the next try. */
  wake(): void
  /** There is a reason to look again since the last look began. */
  isWoken: boolean
  /** Ends the look for whoever has it. */
  opening: AbortController | undefined
  /** Channels that are open for it. */
  readonly links: Set<FileLink>
  /** While content comes. */
  content: ContentFetch | undefined
  /** The device that was asked has it not; another may. */
  isElsewhere: boolean
  /** Who has offered it has it no longer; other devices of ours do. */
  isLeft: boolean
  /** Chunks have come from others than who has offered it. */
  isMixed: boolean
  /** What others sent was something else. */
  shunsOthers: boolean
  /** Tries running that failed in a way that nobody knows. */
  oddities: number
}

export function newLoop(): Loop {
  const none = { content: undefined, opening: undefined, isWoken: false, isElsewhere: false }
  return { wake: () => undefined, links: new Set(), ...none, isLeft: false, isMixed: false, shunsOthers: false, oddities: 0 }
}

/** Until the next try; whoever wakes it ends that. */
export async function pause(loop: Loop, clock: Pick<Clock, 'sleep'>, ms: number): Promise<void> {
  const over = new AbortController()
  loop.wake = () => over.abort()
  await clock.sleep(ms, { signal: over.signal })
}

/** What runs over one device, or all there is, is broken off; nobody waits any longer. */
export function breakOff({ links, content, wake }: Loop, device?: DeviceId): void {
  const cut = [...links].filter(({ peer }) => device === undefined || peer === device)
  for (const link of cut) link.close()
  if (device !== undefined && cut.length === 0) return
  content?.cut(device)
  wake()
}

/** What is under way comes first, as far as it does soon, and need not be sent again (FI24). Never throws. */
export async function leaveOff(loop: Loop, clock: Pick<Clock, 'sleep'>): Promise<void> {
  const { content } = loop
  if (content === undefined) return breakOff(loop)
  content.leaveOff()
  await clock.sleep(LEAVE_WITHIN_MS)
  if (loop.content === content) breakOff(loop)
}

/** What a failure counts as: one that nobody knows, again and again, as a disk's (FI62). @returns a code; none of one that is tried again */
export function codeFor(loop: Loop, error: unknown): string {
  if (isSkeinError(error)) return error.code
  loop.oddities += 1
  return loop.oddities < MAX_ODDITIES ? '' : 'FILE_UNREADABLE'
}

interface Opening {
  readonly device: DeviceId
  /** There is no use for it any more. */
  readonly signal: AbortSignal
}

/** A channel to a device; `undefined` when it is not there. */
export async function openFor(
  { swarm, book }: { readonly swarm: Pick<Swarm, 'open'>; readonly book: ContactBook },
  { links }: Loop,
  { device, signal }: Opening,
): Promise<Source | undefined> {
  const opened = await swarm.open(device, FILE_PROTOCOL, { relays: book.ownerOf(device)?.relays ?? [], signal })
  if (opened.kind !== 'open') return undefined
  const link = linkOn(opened.channel)
  if (signal.aborted) return void link.close()
  links.add(link)
  return { link, reader: new LinkReader(link) }
}

export function closeFor({ links }: Loop, { link }: Source): void {
  link.close()
  links.delete(link)
}

/** These pause a transfer, with what it waits for: what has come is kept, and it goes on when the user says so (FI45). */
export const HOLDING: Readonly<Record<string, string>> = { DISK_FULL: 'DISK_FULL', FILE_UNREADABLE: 'unwritable' }
/** These end a transfer; anything else is tried again. */
export const HOPELESS: readonly string[] = [
  'FILE_CHANGED',
  'FILE_DAMAGED',
  'FILE_TOO_LARGE',
  'BAD_FRAME',
  'SEAL_BROKEN',
  'TOO_MANY_FILES',
  'NAME_TOO_LONG',
]
