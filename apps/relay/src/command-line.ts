/** Flags and environment to a configuration, outcomes to exit codes and stdout (CLI.md). */
import { type ErrorCode, SkeinError } from '@skein/core'
import { Command, CommanderError, Option } from 'commander'
import { addCommands } from './commands/index.ts'
import { DEFAULT_ACME_DIRECTORY, DEFAULT_PORTS, defaultDataDir, parseConfig } from './config.ts'
import { failureOf } from './control/failures.ts'
import { runRelay } from './run.ts'
import { programVersion } from './version.ts'

const EXIT_FAILED = 1
/** CLI.md. */
const EXIT_CODES: Partial<Record<ErrorCode | 'INTERNAL', number>> = { USAGE: 2, TIMED_OUT: 3, NO_DAEMON: 4 }
/** Runs the command and sets the exit code; resolves when the command is done. */
export async function runCommandLine(args: readonly string[]): Promise<void> {
  const json = wantsJson(args)
  try {
    await createProgram(json).parseAsync(separateBootstrap(args), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return
    fail(error, json)
  }
}

function wantsJson(args: readonly string[]): boolean {
  if (process.env['SKEIN_RELAY_JSON'] !== undefined) return true
  const end = args.indexOf('--')
  return args.slice(0, end === -1 ? args.length : end).includes('--json')
}

/** `--bootstrap A B` becomes `--bootstrap=A --bootstrap=B`: a variadic option would swallow the subcommand behind it. */
export function separateBootstrap(args: readonly string[]): string[] {
  const result: string[] = []
  let listing = false
  for (const each of args) {
    const isUrl = /^https?:\/\//.test(each)
    if (listing && isUrl) result.push(`--bootstrap=${each}`)
    else if (each !== '--bootstrap') result.push(each)
    listing = each === '--bootstrap' || (listing && isUrl)
  }
  return result
}

/** @param json whether errors are for programs, which parse stdout */
export function createProgram(json: boolean): Command {
  const program = new Command('skein-relay').description('A Skein relay: introduces peers, carries ciphertext, can read nothing.')
  program.version(programVersion(), '--version', 'the version of this program')
  program.exitOverride().configureOutput({ outputError: (text, write) => (json ? undefined : write(text)) })
  program.addOption(option('--data-dir <dir>', 'where identity and cards are kept').default(defaultDir()))
  program.addOption(option('--host <address>', 'address to listen on').default('0.0.0.0'))
  program.addOption(option('--announce-host <host>', 'address or name under which others reach this relay'))
  program.addOption(option('--front-url <url>', 'https:// URL under which a web server on this machine serves this relay'))
  for (const [name, value] of Object.entries(DEFAULT_PORTS)) {
    program.addOption(option(`--${name} <port>`, `port, 0 for any free one, "off" for none`).default(value))
  }
  program.addOption(option('--acme-directory <url>', 'where the certificate for --https comes from').default(DEFAULT_ACME_DIRECTORY))
  program.addOption(option('--acme-email <address>', 'whom the authority of the certificate may write to'))
  program.addOption(option('--mail-database <url>', 'PostgreSQL that several relays keep mail in'))
  program.addOption(option('--web <dir>', 'folder of the web client to serve, or off'))
  program.addOption(option('--bootstrap <url>', 'another relay; may be repeated').default([]).argParser(collectUrls))
  program.addOption(option('--json', 'machine-readable stdout').default(false))
  program.addOption(option('--debug', 'more log').default(false))
  program.addOption(option('--debug-identities', 'peer ids and addresses in the log').default(false))
  const add = (definition: string, description: string): Command =>
    program
      .command(definition)
      .description(description)
      .exitOverride()
      .configureOutput({ outputError: (text, write) => (json ? undefined : write(text)) })
  add('run', 'run in the foreground').action(() => runRelay(parseConfig({ ...program.opts(), quicIsWanted: wantsQuic(program) })))
  addCommands({ program, add })
  return program
}

/** Whether somebody chose that port: what deploys a relay names the usual one among all others. */
function wantsQuic(program: Command): boolean {
  return program.getOptionValueSource('quic') === 'cli' || program.opts()['quic'] !== DEFAULT_PORTS.quic
}

function option(flags: string, text: string): Option {
  const name = /^--([a-z0-9-]+)/.exec(flags)?.[1] ?? ''
  return new Option(flags, text).env(`SKEIN_RELAY_${name.replaceAll('-', '_').toUpperCase()}`)
}

function defaultDir(): string {
  return process.env['SKEIN_DATA_DIR'] ?? defaultDataDir(process.env)
}

function collectUrls(value: string, before: unknown): string[] {
  return [...(Array.isArray(before) ? (before as string[]) : []), ...value.split(/[,\s]+/).filter((each) => each !== '')]
}

function fail(error: unknown, json: boolean): void {
  const failure = failureOf(error instanceof CommanderError ? new SkeinError('USAGE', usageSentence(error)) : error)
  process.exitCode = EXIT_CODES[failure.code] ?? EXIT_FAILED
  if (json) process.stdout.write(`${JSON.stringify({ error: failure })}\n`)
  else if (!(error instanceof CommanderError)) process.stderr.write(`skein-relay: ${failure.message}\n`)
}

function usageSentence(error: CommanderError): string {
  if (error.code === 'commander.help') return 'No subcommand was given; try "skein-relay run".'
  return error.message.replace(/^error: /, '')
}
