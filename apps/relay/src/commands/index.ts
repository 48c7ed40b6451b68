/** The subcommands of `skein-relay`, each a few lines on the actions of the relay. */
import type { Command } from 'commander'
import { parseConfig, type RelayConfig } from '../config.ts'
import type { ActionName } from '../control/actions.ts'
import { perform } from '../control/socket.ts'
import { bench } from '../bench/index.ts'
import { ownAddress } from './address.ts'
import { backUp, restore } from './backup.ts'
import { diagnose } from './doctor.ts'
import { parseDuration, parseValue } from './durations.ts'
import { initialise } from './init.ts'
import { ownMemberUrl, presentWithJoin } from './join.ts'
import { present } from './present.ts'
import { waitUntilServing } from './serving.ts'
import { SkeinError } from '@skein/core'

export interface CommandNeeds {
  readonly program: Command
  /** Adds a subcommand that reports its errors like the program. */
  add(definition: string, description: string): Command
}

export function addCommands(needs: CommandNeeds): void {
  const { add } = needs
  const config = (): RelayConfig => parseConfig(needs.program.opts())
  const ask = async (name: ActionName, input: unknown = {}): Promise<void> => {
    const { dataDir, json } = config()
    present(await perform(dataDir, name, input), json)
  }
  add('init', 'make key and settings, and print what members enter')
    .option('--mode <mode>', 'open, token, allowlist or closed')
    .action((options: { mode?: string }) => initialise(config(), { mode: options.mode }))
  add('status', 'what the running relay is doing')
    .option('--wait <duration>', 'until every part of it runs, like 60s')
    .action(async ({ wait }: { wait?: string }) => {
      const { dataDir, json } = config()
      present(wait === undefined ? await perform(dataDir, 'status', {}) : await waitUntilServing(dataDir, parseDuration(wait)), json)
    })
  add('reload', 'read the settings again').action(() => ask('reload'))
  add('drain', 'send everybody away and end the relay').action(() => ask('drain'))
  addTokens(needs, ask, config)
  addVerdicts(needs, ask)
  add('limits [changes...]', 'show the settings, or change some: limits.circuits=100 budget.bytesPerMonth=2TB mode=token').action(
    (changes: string[]) => ask('limits', { changes: parseChanges(changes) }),
  )
  add('backup <file>', 'write everything this relay is into one file, or with - to stdout').action((file: string) => backUp(config(), file))
  add('restore <file>', 'make a data directory from a backup, or with - from stdin')
    .option('--replace', 'put a relay that is there aside', false)
    .action((file: string, options: { replace: boolean }) => restore(config(), file, options))
  add('address', 'under which address others reach this machine, as far as it can tell').action(async () =>
    present(await ownAddress(), config().json),
  )
  add('bench', 'measure what a relay on this machine carries, with members of its own on loopback')
    .option('--members <count>', 'members that join', '200')
    .option('--seconds <count>', 'how long bulk is sent', '10')
    .action(async (options: { members: string; seconds: string }) =>
      present(await bench({ members: Number(options.members), seconds: Number(options.seconds) }), config().json),
    )
  add('doctor [url]', 'check a relay from outside: ports, TLS, WebSocket, WebRTC, STUN, clock, DNS, disk').action((url?: string) =>
    diagnose(config(), url),
  )
}

type Ask = (name: ActionName, input?: unknown) => Promise<void>

function addTokens({ add }: CommandNeeds, ask: Ask, config: () => RelayConfig): void {
  const token = add('token', 'relay tokens: create, list, revoke')
  token
    .command('create')
    .option('--label <text>', 'whom it is for', '')
    .option('--expires <duration>', 'how long it admits, like 30d')
    .option('--uses <count>', 'how many devices it admits')
    .action(async (options: { label: string; expires?: string; uses?: string }) => {
      const made = await perform(config().dataDir, 'token-create', {
        label: options.label,
        ...(options.expires !== undefined && { expiresAt: Date.now() + parseDuration(options.expires) }),
        ...(options.uses !== undefined && { uses: Number(options.uses) }),
      })
      presentWithJoin(made, ownMemberUrl(config()), config())
    })
  token.command('list').action(() => ask('token-list'))
  token
    .command('revoke <id>')
    .option('--members', 'remove whom it has admitted as well, and whom they have brought', false)
    .action((id: string, { members }: { members: boolean }) => ask('token-revoke', { id, members }))
  add('members', 'devices that a token or an invite has admitted, and through whom').action(() => ask('members'))
}

function addVerdicts({ add }: CommandNeeds, ask: Ask): void {
  for (const [name, text] of [
    ['allow', 'admit a device, whatever the mode; without one: list'],
    ['deny', 'refuse a device, and end its connections; without one: list'],
    ['forget', 'take back what allow, deny or a token have decided'],
  ] as const)
    add(`${name} [peer]`, text)
      .option('--note <text>', 'for yourself', '')
      .action((peer: string | undefined, { note }: { note: string }) => (peer === undefined ? ask('verdicts') : ask(name, { peer, note })))
}

/** @throws SkeinError USAGE */
export function parseChanges(changes: readonly string[]): Record<string, string | number> {
  return Object.fromEntries(
    changes.map((each) => {
      const [, place = '', value = ''] = /^([A-Za-z.]+)=(.+)$/.exec(each) ?? []
      if (place === '') throw new SkeinError('USAGE', `«${each}» is no change like limits.circuits=100.`)
      return [place, parseValue(value)]
    }),
  )
}
