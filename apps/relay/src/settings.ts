/**
 * What the operator may change while the relay runs: `<data-dir>/settings.json`, read at the start, at `SIGHUP` and at
 * `skein-relay reload`. One strict schema; a file that is wrong changes nothing.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SkeinError } from '@skein/core'
import * as z from 'zod'

const count = z.int().min(0).max(10_000_000)
/** Bytes a second; 0 for no limit. */
const rate = z.int().min(0).max(1e12)

const limitsSchema = z.strictObject({
  /** Open connections: all, of one IP address, of one network (/24 or /48). */
  connections: count.default(8_192),
  connectionsPerAddress: count.default(1_024),
  connectionsPerNetwork: count.default(4_096),
  /** New connections of one address a second, and how many at once after a pause. Many share the address of a carrier NAT. */
  connectionsPerSecondPerAddress: count.default(64),
  connectionBurstPerAddress: count.default(256),
  /** Devices that can be reached through this relay. */
  reservations: count.default(5_120),
  reservationsPerAddress: count.default(512),
  reservationsPerNetwork: count.default(2_048),
  reservationsPerMinutePerPeer: count.default(30),
  /** Relayed connections: all, those that one device asked for, and those that it asked for to one other device. */
  circuits: count.default(4_096),
  circuitsPerPeer: count.default(256),
  circuitsPerPair: count.default(32),
  /** To one device that did not ask for them; one address may have a quarter of it, one network half. */
  circuitsToPeer: count.default(256),
  circuitsPerMinutePerPeer: count.default(240),
  /** Of those who asked from one IP address, or one network. */
  circuitsPerAddress: count.default(1_024),
  circuitsPerNetwork: count.default(2_048),
  circuitsPerMinutePerAddress: count.default(2_400),
  /** Of devices that are not admitted, to one member, shared as above; they take none of its own. */
  strangerCircuitsPerMember: count.default(64),
  /** Questions to the DHT, cards, admission, and presences that are checked, each by itself: of one address a second, and at once after a pause. */
  requestsPerSecondPerAddress: count.default(64),
  requestBurstPerAddress: count.default(1_024),
  /** Records that the DHT keeps. */
  dhtRecords: count.default(16_384),
  dhtRecordsPerAddress: count.default(1_024),
  dhtRecordsPerNetwork: count.default(4_096),
  /** Cards in the card drop that were left from one address, or one network. */
  cardsPerAddress: count.default(512),
  cardsPerNetwork: count.default(2_048),
  /** Streams at the mailbox. */
  mailStreams: count.default(16_384),
  mailStreamsPerAddress: count.default(1_024),
  mailStreamsPerNetwork: count.default(4_096),
  /** Tags that are watched at the mailbox, some 100 bytes of memory each. */
  mailTags: count.default(1_048_576),
  mailTagsPerAddress: count.default(131_072),
  mailTagsPerNetwork: count.default(524_288),
  /** Connections to the HTTP and HTTPS ports, WebSockets behind TLS among them. */
  httpConnections: count.default(8_192),
  httpConnectionsPerAddress: count.default(1_024),
  httpConnectionsPerNetwork: count.default(4_096),
  httpRequestsPerSecondPerAddress: count.default(128),
  httpRequestBurstPerAddress: count.default(2_048),
  /** What one address may download, pages of the web client above all: so many bytes at once, and a second after that; 0 for no limit. */
  httpBurstBytesPerAddress: rate.default(268_435_456),
  httpBytesPerSecondPerAddress: rate.default(16_384),
  httpBurstBytesPerNetwork: rate.default(1_073_741_824),
  httpBytesPerSecondPerNetwork: rate.default(65_536),
  /** Connections to the TCP reflector; each lives milliseconds. */
  reflectorConnections: count.default(512),
  reflectorConnectionsPerAddress: count.default(64),
  reflectorConnectionsPerNetwork: count.default(256),
  bytesPerSecond: rate.default(0),
  bytesPerSecondPerPeer: rate.default(0),
})

const strangersSchema = z.strictObject({
  /** Whether those who are not admitted may open circuits to members: never, within the limits below, or like members. */
  circuits: z.enum(['none', 'limited', 'unlimited']).default('limited'),
  bytes: z.int().min(1_024).max(1e12).default(4_194_304),
  seconds: z.int().min(1).max(604_800).default(600),
})

const share = z.number().min(0).max(1)
const budgetSchema = z.strictObject({
  /** Bytes a month, both directions together; 0 for no budget. */
  bytesPerMonth: z.int().min(0).max(1e16).default(0),
  /** Day on which the provider's month begins, UTC. */
  firstDay: z.int().min(1).max(28).default(1),
  warnAt: share.default(0.8),
  slowFilesAt: share.default(0.9),
  /** All bulk traffic together while it is slowed, bytes a second. */
  slowBytesPerSecond: z.int().min(1_024).max(1e12).default(65_536),
  /** Whose bytes count: those of the machine's network interfaces, or of the relay alone; `auto`: interfaces where they can be read. */
  count: z.enum(['auto', 'interfaces', 'relay']).default('auto'),
})

const settingsSchema = z.strictObject({
  /** Who gets a place: everybody, holders of a relay token or of a member's invite, only those allowed by hand, or nobody new. */
  mode: z.enum(['open', 'token', 'allowlist', 'closed']).default('open'),
  strangers: strangersSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  budget: budgetSchema.prefault({}),
})

export type Settings = z.infer<typeof settingsSchema>
export const DEFAULT_SETTINGS: Settings = settingsSchema.parse({})

const FILE = 'settings.json'

/** @throws SkeinError CONFIG_INVALID that names the first thing that is wrong */
export function parseSettings(value: unknown): Settings {
  const parsed = settingsSchema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const place = issue?.path.join('.') || 'the whole'
  throw new SkeinError('CONFIG_INVALID', `${FILE} is wrong at «${place}»: ${issue?.message ?? 'not allowed'}.`)
}

/** The defaults where there is no file. @throws SkeinError CONFIG_INVALID */
export function loadSettings(dataDir: string): Settings {
  return parseSettings(readRaw(dataDir))
}

/**
 * Changes single values, named by their place such as `limits.circuits`; what is not named keeps its default.
 * @throws SkeinError CONFIG_INVALID; the file stays as it was
 */
export function changeSettings(dataDir: string, changes: Readonly<Record<string, unknown>>): Settings {
  const raw = readRaw(dataDir)
  for (const [place, value] of Object.entries(changes)) setAt(raw, place.split('.'), value)
  const settings = parseSettings(raw)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, FILE)
  // Renamed into place: a crash leaves the old file or the new one.
  writeFileSync(`${file}.new`, `${JSON.stringify(raw, undefined, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
  return settings
}

function readRaw(dataDir: string): Record<string, unknown> {
  const file = join(dataDir, FILE)
  if (!existsSync(file)) return {}
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new SkeinError('CONFIG_INVALID', `${file} is not a JSON object.`, { cause })
  }
}

function setAt(target: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined || !/^[A-Za-z]+$/.test(name) || Object.hasOwn(Object.prototype, name))
    throw new SkeinError('CONFIG_INVALID', 'A setting is named like limits.circuits.')
  if (rest.length === 0) {
    target[name] = value
    return
  }
  const inner = target[name]
  const next = typeof inner === 'object' && inner !== null ? { ...inner } : {}
  target[name] = next
  setAt(next as Record<string, unknown>, rest, value)
}
