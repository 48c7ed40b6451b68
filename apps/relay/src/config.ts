/** The relay's configuration: one strict schema; flags, environment and defaults all end here. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isIP } from 'node:net'
import { SkeinError } from '@skein/core'
import * as z from 'zod'

/** Longest name of a host, in characters (RFC 1035 §2.3.4). */
const MAX_HOST_CHARS = 253

/** Let's Encrypt: asked only where HTTPS is wanted. */
export const DEFAULT_ACME_DIRECTORY = 'https://acme-v02.api.letsencrypt.org/directory'

const port = z.union(
  [
    z.literal('off'),
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number)
      .refine((value) => value <= 65_535),
  ],
  { error: 'is no port: a number from 0 (any free one) to 65535, or "off"' },
)

const relayUrl = z.url({ protocol: /^https?$/, error: 'is no URL of a relay, like https://relay.example' })

const configSchema = z.strictObject({
  dataDir: z.string().min(1),
  host: z.string().refine((value) => isIP(value) !== 0, 'is no IP address to listen on'),
  announceHost: z
    .string()
    .regex(/^[A-Za-z0-9.:-]+$/, 'is neither an address nor a name')
    .max(MAX_HOST_CHARS)
    .optional(),
  http: port,
  https: port,
  tcp: port,
  ws: port,
  quic: port,
  /** Whether the port of QUIC was asked for: a usual one that is taken already is done without. */
  quicIsWanted: z.boolean().default(false),
  webrtc: port,
  stun: port,
  stun2: port,
  reflector: port,
  /** PostgreSQL that holds the mail of a fleet; without it the mail lies in the relay's own database. */
  mailDatabase: z.url({ protocol: /^postgres(ql)?$/, error: 'is no URL of a PostgreSQL database' }).optional(),
  /** Where the certificate for `https` comes from. */
  acmeDirectory: z.url({ protocol: /^https$/, error: 'is no https:// URL of an ACME directory' }).default(DEFAULT_ACME_DIRECTORY),
  /** Whom that authority may write to. */
  acmeEmail: z.email({ error: 'is no e-mail address' }).optional(),
  /** Folder of the web client, `off`, or the one that belongs to this build. */
  web: z.string().min(1).optional(),
  /** Where a web server on this machine serves the relay behind TLS. */
  frontUrl: z.url({ protocol: /^https$/, error: 'is no https:// URL, like https://relay.example' }).optional(),
  bootstrap: z.array(relayUrl).readonly(),
  json: z.boolean(),
  debug: z.boolean(),
  debugIdentities: z.boolean(),
})

const checkedSchema = configSchema.refine(({ https, announceHost = '' }) => https === 'off' || isName(announceHost), {
  path: ['https'],
  error: 'needs --announce-host with the name that the certificate is for',
})

export type RelayConfig = Readonly<z.infer<typeof configSchema>>
export type Port = number | 'off'

export const DEFAULT_PORTS = {
  http: '8080',
  https: 'off',
  tcp: '4001',
  ws: '4002',
  quic: '4001',
  webrtc: '4003',
  stun: '3478',
  stun2: '3479',
  reflector: '4004',
} as const

/** @throws SkeinError USAGE with a sentence that names the option */
export function parseConfig(raw: unknown): RelayConfig {
  const parsed = checkedSchema.safeParse(raw)
  if (parsed.success) return Object.freeze(parsed.data)
  const issue = parsed.error.issues[0]
  const option = String(issue?.path[0] ?? 'option').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new SkeinError('USAGE', `--${option} ${issue?.message ?? 'is wrong'}.`)
}

/** No certificate is issued for a number. */
function isName(host: string): boolean {
  return host !== '' && isIP(host) === 0
}

/** With the URL under which its own HTTPS is reached, where it has one and no other is given. @param port the one in use */
export function withHttps(config: RelayConfig, port: number | undefined): RelayConfig {
  if (port === undefined || config.frontUrl !== undefined || config.announceHost === undefined) return config
  return { ...config, frontUrl: `https://${config.announceHost}${port === 443 ? '' : `:${port}`}` }
}

/** Where the relay keeps its files unless told: the platform's place for the data of programs. */
export function defaultDataDir(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return join(env['LOCALAPPDATA'] ?? homedir(), 'skein-relay')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'skein-relay')
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'skein-relay')
}

/** Host for addresses that others use, or `undefined` when it listens everywhere and no name was given. */
export function publicHost(config: Pick<RelayConfig, 'host' | 'announceHost'>): string | undefined {
  if (config.announceHost !== undefined) return config.announceHost
  return config.host === '0.0.0.0' || config.host === '::' ? undefined : config.host
}

/** Host for what stands beside the relay's URL, such as STUN: where only a web server's URL is known, that one's. */
export function describedHost(config: Pick<RelayConfig, 'host' | 'announceHost' | 'frontUrl'>): string | undefined {
  const front = config.frontUrl === undefined ? undefined : new URL(config.frontUrl).hostname.replace(/^\[|\]$/g, '')
  return config.announceHost ?? front ?? publicHost(config)
}

/** `host:port`, an IPv6 address in brackets. */
export function hostPort(host: string, portNumber: number): string {
  return host.includes(':') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`
}

/** The URL that members enter, or `undefined` while none is known. @param httpPort the one in use */
export function memberUrl(config: RelayConfig, httpPort: number | undefined): string | undefined {
  if (config.frontUrl !== undefined) return config.frontUrl.replace(/\/+$/, '')
  const host = publicHost(config)
  return host === undefined || httpPort === undefined ? undefined : `http://${hostPort(host, httpPort)}`
}
