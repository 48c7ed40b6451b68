/** One strict schema for everything a user may set. */
import { SkeinError } from '@skein/core'
import * as z from 'zod/mini'

/** A URL, and behind it the token that the relay wants, if it wants one: `https://relay.example/#token=…`. */
const RELAY = /^(https?:\/\/[^\s/?#]+(?:\/[^\s?#]*)?)(?:#token=([\w-]{1,128}))?$/
/** Longest URL of a relay, characters: as in a contact card. */
const MAX_URL_CHARS = 120

const RelayUrl = z.string().check(
  z.regex(RELAY, 'a relay is named by its http:// or https:// URL'),
  z.refine((text) => splitRelay(text).url.length <= MAX_URL_CHARS, 'the URL of a relay has at most 120 characters'),
)

/** On any system; nothing is named by nothing. */
function isAbsolute(path: string): boolean {
  return path === '' || /^(\/|\\\\|[A-Z]:[\\/])/i.test(path)
}

/** The longest time after which a message may be given up, milliseconds: a year. */
export const MAX_EXPIRE_MS = 365 * 86_400_000

export const ConfigSchema = z.strictObject({
  /** What you call yourself; empty for anonymous. */
  name: z.string().check(z.maxLength(64)),
  /** Relays to be reachable through, by URL. */
  relays: z.array(RelayUrl).check(z.maxLength(8)),
  /** TCP port to listen on; 0 takes any free one. */
  port: z.int().check(z.gte(0), z.lte(65_535)),
  /** Address to listen on; 0.0.0.0 stands for all, IPv6 included. */
  host: z.string(),
  /** Whether to look for and serve devices on the local network. */
  lan: z.boolean(),
  /** Whether to ask the home router for a port, by PCP, NAT-PMP or UPnP, so that others reach this node directly; not without `lan`. */
  portMapping: z.boolean(),
  /** Whether to serve the web client to the local network from the start; otherwise from the first invite for it on. */
  page: z.boolean(),
  /** Whether to carry sealed messages of others on the local network, and have them carry ours. */
  mesh: z.boolean(),
  /** Whether to join networks: what is carried here goes over relays and the internet to contacts who do the same. */
  bridge: z.boolean(),
  /** Who sees that you are there. */
  visibility: z.enum(['everyone', 'contacts', 'nobody']),
  /** Whether mail may be left for you at your relays while you are away. */
  mail: z.boolean(),
  /** Whether contacts are told what you have seen. */
  readReceipts: z.boolean(),
  /** Folder for what is accepted where nothing else is said, by its absolute path; empty: one beside the database. */
  filesFolder: z.string().check(z.maxLength(4_096), z.refine(isAbsolute, 'a folder is named by its absolute path')),
  /** Messages that were not delivered are given up after so many milliseconds. */
  expireMs: z.int().check(z.gte(1_000), z.lte(MAX_EXPIRE_MS)),
  /** Lines on stderr: error, warn, info or debug. */
  log: z.enum(['error', 'warn', 'info', 'debug']),
  /** Where the key is that seals the secrets in the database; `auto` keeps it where it is, and chooses for a new node. */
  keyStorage: z.enum(['auto', 'keychain', 'file', 'passphrase']),
})
export type Config = Readonly<z.infer<typeof ConfigSchema>>

export const DEFAULTS: Config = {
  name: '',
  relays: [],
  port: 0,
  host: '0.0.0.0',
  lan: true,
  portMapping: true,
  page: false,
  mesh: true,
  bridge: false,
  visibility: 'contacts',
  mail: true,
  readReceipts: true,
  filesFolder: '',
  expireMs: 30 * 86_400_000,
  log: 'warn',
  keyStorage: 'auto',
}

/** The token is ours alone: the URL goes into contact cards and invites. */
export function splitRelay(text: string): { readonly url: string; readonly token: string | undefined } {
  const [, url = text, token] = RELAY.exec(text) ?? []
  return { url: token === undefined ? url : url.replace(/\/+$/, ''), token }
}

/** @throws SkeinError CONFIG_INVALID with the first thing that is wrong */
export function parseConfig(value: Record<string, unknown>): Config {
  const parsed = ConfigSchema.safeParse(value)
  if (parsed.success) return Object.freeze(parsed.data)
  const [issue] = parsed.error.issues
  throw new SkeinError(
    'CONFIG_INVALID',
    `The configuration is wrong at «${issue?.path.join('.') || (issue?.code ?? '')}»: ${issue?.message ?? ''}.`,
  )
}
