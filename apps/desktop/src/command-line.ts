/** What `skein-desktop` is started with. */
import { join, resolve } from 'node:path'
import { defaultDataDir, loadConfig, type LoadedConfig } from '@skein/node/config'
import { Command } from 'commander'
import { downloadsFolder } from './downloads.ts'
import type { HostOptions } from './host.ts'

export interface DesktopOptions extends HostOptions {
  /** One JSON object on stdout when it is ready. */
  readonly json: boolean
  readonly window: boolean
  /** To be opened, if one was given. */
  readonly invite: string | undefined
  /** Of what shows the window; empty unless they are let through. */
  readonly switches: readonly string[]
}

interface Parsed extends HostOptions {
  readonly json?: boolean
  readonly window: boolean
}

/**
 * Ends the process with a sentence when the arguments are wrong.
 * @param args without the program's own name
 * @param switches whether options that are none of ours are let through: Electron takes those of Chromium from the same line
 */
export function parseCommandLine(args: readonly string[], { switches = false } = {}): DesktopOptions {
  const program = new Command('skein-desktop')
    .description('Skein in a window.')
    .argument('[link]', 'an invite to open')
    .option('--data-dir <dir>', 'folder of this node', defaultDataDir(process.env))
    .option(
      '--relay <url>',
      'a relay, by its URL, until relays are set in the window; may be given several times',
      (value, before: readonly string[] = []) => [...before, value],
    )
    .option('--name <name>', 'what you call yourself, until it is set in the window')
    .option('--json', 'one JSON object on stdout when it is ready')
    .option('--no-window', 'print the link instead of opening a window')
  if (switches) program.allowUnknownOption().allowExcessArguments()
  program.parse([...args], { from: 'user' })
  const options = program.opts<Parsed>()
  const isSwitch = (each: string): boolean => each.startsWith('--')
  const invite = program.args.find((each) => !isSwitch(each))
  // Whoever starts it again, with the session say, does so from elsewhere.
  return { ...options, dataDir: resolve(options.dataDir), json: options.json === true, invite, switches: program.args.filter(isSwitch) }
}

/** What the program was started with holds until it is set in the window, where it can be set as in any other. @throws SkeinError CONFIG_INVALID */
export function settingsOf({ dataDir, relay, name }: HostOptions, env: NodeJS.ProcessEnv): LoadedConfig {
  // What was given a folder of its own keeps everything there.
  const isUsual = dataDir === defaultDataDir({ ...env, SKEIN_DATA_DIR: undefined })
  const defaults = {
    ...(relay === undefined ? {} : { relays: relay }),
    ...(name === undefined ? {} : { name }),
    ...(isUsual ? { filesFolder: join(downloadsFolder(env), 'Skein') } : {}),
  }
  return loadConfig({ dataDir, env, flags: {}, defaults })
}

interface StartedAs {
  /** The program, and in a checkout its script. */
  readonly program: readonly string[]
  /** File of the AppImage that it came in, which is unpacked elsewhere at each start. */
  readonly appImage: string | undefined
}

/** What starts this program as it was started. */
export function startAgain({ switches, dataDir, relay = [], name }: DesktopOptions, { program, appImage }: StartedAs): readonly string[] {
  const given = [...relay.flatMap((each) => ['--relay', each]), ...(name === undefined ? [] : ['--name', name])]
  return [...(appImage === undefined ? program : [appImage]), ...switches, '--data-dir', dataDir, ...given]
}

/** The place in the interface that takes an invite; empty without one. */
export function fragmentFor(invite: string | undefined): string {
  return invite === undefined ? '' : `add=${encodeURIComponent(invite)}`
}

/** Whether a link that the system hands over can be an invite. */
export const maybeInvite = (link: string): boolean => /^(skein:|https?:\/\/).{0,400}$/i.test(link)
