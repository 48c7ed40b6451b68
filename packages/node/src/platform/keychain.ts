/**
 * The keychain of the system: Keychain on macOS, Credential Manager on Windows, the Secret Service on Linux desktops.
 * The library talks to it in a process of its own, because its calls cannot be interrupted: a desktop that does not
 * answer would hold this process, and keep it from ending.
 */
import { spawn } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'

/** `null` stands for an entry that is not there. */
export interface Keychain {
  get(entry: string): Promise<Uint8Array | null | 'no-answer'>
  /** Whether the entry is kept and was read back. */
  put(entry: string, secret: Uint8Array): Promise<boolean>
  /** Whether it is gone. */
  remove(entry: string): Promise<boolean>
}

/** A new entry asks nobody, or so little time that a start is not held up. Milliseconds. */
const PUT_WITHIN_MS = 5_000
/** Time for a person to unlock the keychain, in milliseconds. */
const GET_WITHIN_MS = 60_000

/** Sibling of this file, compiled or not. */
const PROGRAM = fileURLToPath(new URL(`./keychain-process${extname(import.meta.url)}`, import.meta.url))

export const KeychainAnswer = z.strictObject({ ok: z.boolean(), secret: z.string().nullable() })
export type KeychainAnswer = z.infer<typeof KeychainAnswer>
export interface KeychainRequest {
  readonly action: 'get' | 'put' | 'remove'
  readonly entry: string
  /** Base64; with `put` only. */
  readonly secret?: string
}

export interface KeychainOptions {
  readonly env: NodeJS.ProcessEnv
  readonly platform?: NodeJS.Platform
  /** Milliseconds; for tests of a desktop that does not answer. */
  readonly within?: number
}

/** Whether there is a desktop session to ask; on Linux without one even the attempt would only cost time. */
export function offersKeychain({ env, platform = process.platform }: KeychainOptions): boolean {
  if (platform === 'darwin' || platform === 'win32') return true
  const hasDesktop = Boolean(env['DISPLAY']) || Boolean(env['WAYLAND_DISPLAY'])
  return platform === 'linux' && hasDesktop && Boolean(env['DBUS_SESSION_BUS_ADDRESS'])
}

export function systemKeychain(options: KeychainOptions): Keychain {
  const ask = async (request: KeychainRequest, within: number): Promise<KeychainAnswer | null> =>
    offersKeychain(options) ? askProcess(request, { env: options.env, within: options.within ?? within }) : null
  return {
    get: async (entry) => {
      const answer = await ask({ action: 'get', entry }, GET_WITHIN_MS)
      if (answer?.ok !== true) return 'no-answer'
      return answer.secret === null ? null : new Uint8Array(Buffer.from(answer.secret, 'base64'))
    },
    put: async (entry, secret) => {
      const encoded = Buffer.from(secret).toString('base64')
      const answer = await ask({ action: 'put', entry, secret: encoded }, PUT_WITHIN_MS)
      return answer?.ok === true && answer.secret === encoded
    },
    remove: async (entry) => (await ask({ action: 'remove', entry }, PUT_WITHIN_MS))?.ok === true,
  }
}

interface Asking {
  readonly env: NodeJS.ProcessEnv
  readonly within: number
}

/** `null` when no answer came in time. The secret goes through pipes: arguments and environment are visible to others. */
function askProcess(request: KeychainRequest, { env, within }: Asking): Promise<KeychainAnswer | null> {
  const { SKEIN_PASSPHRASE: _kept, ...inherited } = env
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['pipe', 'pipe', 'ignore'], env: inherited, windowsHide: true })
  return new Promise((resolve) => {
    let text = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), within)
    child.stdout.on('data', (part: Buffer) => (text += part.toString()))
    child.once('error', () => resolve(null))
    child.once('close', () => {
      clearTimeout(timer)
      resolve(parseAnswer(text))
    })
    // A child that is gone already takes no question; its close tells.
    child.stdin.once('error', () => undefined)
    child.stdin.end(JSON.stringify(request))
  })
}

function parseAnswer(text: string): KeychainAnswer | null {
  try {
    return KeychainAnswer.parse(JSON.parse(text))
  } catch {
    return null
  }
}
