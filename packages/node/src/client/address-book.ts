/** Where contacts' devices can be dialled, kept over a restart: they are found again while no relay is there. */
import type { Clock, DeviceId, Logger, Messenger, Store } from '@skein/core'
import { parseDeviceId } from '@skein/core'
import * as z from 'zod'
import type { Libp2pSwarm } from '../swarm/index.ts'
import type { Undo } from './assemble.ts'

/** Kept of one device. */
const MAX_ADDRESSES = 4
/** Kept devices. */
const MAX_DEVICES = 512
/** Told again so often: the swarm forgets addresses within a day (ADDRESS_AGE_MS). Milliseconds. */
const TELL_EVERY_MS = 8 * 3_600_000
/** From a new connection until its addresses are kept, ms: identify tells them, and many come at once. */
const SAVE_AFTER_MS = 5_000
const SETTING = 'addresses'

/** The longest address that is kept; one with the hash of a certificate or two has as much. */
const MAX_ADDRESS_CHARS = 256
const Addresses = z.array(z.string().max(MAX_ADDRESS_CHARS)).max(MAX_ADDRESSES)
type Book = Readonly<Record<string, readonly string[]>>

export interface AddressBookParts {
  readonly messenger: Pick<Messenger, 'book'>
  readonly swarm: Pick<Libp2pSwarm, 'dialledAddresses' | 'learn' | 'listen'>
  readonly store: Pick<Store, 'setting' | 'commit'>
  readonly logger: Logger
  readonly clock: Clock
}

/** Tells the swarm what was kept, and keeps what it learns from now on. Undone, it keeps a last time. */
export async function keepAddresses(parts: AddressBookParts, undo: Undo): Promise<void> {
  const { swarm, store, clock } = parts
  let kept = parseBook(await store.setting(SETTING))
  const tell = async (): Promise<void> => {
    // What is no address is left out; nobody waits for a help.
    for (const [device, addresses] of Object.entries(kept)) await swarm.learn(parseDeviceId(device), addresses).catch(() => undefined)
  }
  await tell()
  const save = async (): Promise<void> => {
    const now = collect(parts, kept)
    if (JSON.stringify(now) === JSON.stringify(kept)) return
    await store.commit([{ kind: 'setting.put', key: SETTING, value: JSON.stringify(now) }])
    kept = now
  }
  const stopping = new AbortController()
  let isDue = false
  const saveSoon = async (): Promise<void> => {
    if (isDue) return
    isDue = true
    await clock.sleep(SAVE_AFTER_MS, { signal: stopping.signal })
    isDue = false
    if (!stopping.signal.aborted) await save().catch((error: unknown) => parts.logger.warn('addresses-not-kept', { reason: String(error) }))
  }
  void tellAgain(tell, { clock, stopping: stopping.signal })
  const forget = swarm.listen({ onConnected: () => void saveSoon() })
  undo.push(async () => {
    forget()
    stopping.abort()
    await save()
  })
}

async function tellAgain(
  tell: () => Promise<void>,
  { clock, stopping }: { readonly clock: Clock; readonly stopping: AbortSignal },
): Promise<void> {
  while (await clock.sleep(TELL_EVERY_MS, { signal: stopping })) await tell()
}

/** Of contacts alone; the newest first. Only what has worked: an address in vain costs a third of a second at the next start. */
function collect({ messenger, swarm }: AddressBookParts, kept: Book): Book {
  const devices = messenger.book.everyone().flatMap(({ account, blocked }) => (blocked ? [] : messenger.book.devicesOf(account)))
  const entries = devices.slice(0, MAX_DEVICES).map(({ device }): [DeviceId, string[]] => {
    const all = [...swarm.dialledAddresses(device), ...(kept[device] ?? [])].filter((each) => each.length <= MAX_ADDRESS_CHARS)
    return [device, [...new Set(all)].slice(0, MAX_ADDRESSES)]
  })
  return Object.fromEntries(entries.filter(([, addresses]) => addresses.length > 0))
}

/** Without what was not written like this: it is only a help. */
function parseBook(text: string | null): Book {
  const book = z.record(z.string(), z.unknown()).safeParse(parseJson(text ?? '{}'))
  const entries = Object.entries(book.data ?? {}).flatMap(([device, addresses]): [string, readonly string[]][] => {
    const parsed = Addresses.safeParse(addresses)
    return parsed.success && isDevice(device) ? [[device, parsed.data]] : []
  })
  return Object.fromEntries(entries)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isDevice(text: string): boolean {
  try {
    parseDeviceId(text)
    return true
  } catch {
    return false
  }
}
