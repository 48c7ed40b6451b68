/** The command line: what there is and which option means what. */
import { Command, InvalidArgumentError } from 'commander'
import { defaultDataDir } from '@skein/node/config'
import * as backup from './backup-commands.ts'
import { chat } from './chat.ts'
import * as commands from './commands.ts'
import * as conversation from './conversation-commands.ts'
import * as delivery from './delivery-commands.ts'
import * as devices from './device-commands.ts'
import * as files from './file-commands.ts'
import { carry, mesh as meshCommand } from './mesh-command.ts'
import { createOutput } from './output.ts'
import * as receipts from './receipt-commands.ts'

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value]

function port(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 0 || number > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return number
}

type Run = <A extends unknown[]>(work: (session: commands.Session, ...rest: A) => Promise<number>) => (...rest: A) => Promise<void>

/** @param finish receives the exit code of the command that ran */
export function createProgram(finish: (code: number) => void, { json: asJson }: { readonly json: boolean }): Command {
  const writeOut = (text: string): void => void process.stdout.write(asJson ? `${JSON.stringify({ help: text })}\n` : text)
  const quiet = { writeErr: () => undefined, writeOut }
  const program = new Command('skein')
    .description('Peer-to-peer messenger and file drop.')
    .option('--data-dir <dir>', 'folder of this node; isolates everything')
    .option('--json', 'one JSON object on stdout, nothing else')
    .option('--debug', 'more lines on stderr')
    .exitOverride()
    .configureOutput(quiet)
  const session = (): commands.Session => {
    const { dataDir, json } = program.opts<{ dataDir?: string; json?: boolean }>()
    return { dataDir: dataDir ?? defaultDataDir(process.env), output: createOutput(json === true) }
  }
  const run: Run =
    (work) =>
    async (...rest) =>
      finish(await work(session(), ...rest))

  program
    .command('up')
    .description('run a node in the foreground')
    .option('--name <name>', 'what you call yourself')
    .option('--relay <url>', 'a relay, by its URL; may be given several times', collect)
    .option('--port <port>', 'TCP port to listen on, 0 for any', port)
    .option('--visibility <who>', 'who sees that you are there: everyone, contacts, nobody')
    .option('--host <address>', 'address to listen on; all, unless named')
    .option('--no-lan', 'do not use the local network')
    .option('--page', 'serve the web client to the local network from the start')
    .option('--no-port-mapping', 'do not ask the router for a port')
    .option('--no-mesh', 'have no neighbours: carry nothing for others, and have nothing carried, but by hand')
    .option('--bridge', 'join networks: pass on what is carried to contacts elsewhere who do the same')
    // Loaded only here: the network libraries would make every other command slow.
    .action(
      run(async (now, options: Record<string, unknown>) =>
        (await import('./up.ts')).up(now.dataDir, upFlags(options, program.opts()), now.output),
      ),
    )
  program.command('status').description('account, device, relays').action(run(commands.status))
  program
    .command('invite')
    .description('make an invite link')
    .option('--here', 'a link to a page that this device serves to the local network, for a phone without Skein')
    .option('--revoke [invite]', 'end this invite, or all that are open, instead')
    .action(run(commands.invite))
  program
    .command('add')
    .description('add a contact by invite or account id, or ask somebody nearby by device id')
    .argument('<invite>')
    .option('--name <name>', 'what you call them')
    .action(run(commands.add))
  program.command('contacts').description('your contacts').action(run(commands.contacts))
  program.command('peers').description('who is in sight').action(run(commands.peers))
  program.command('doctor').description('what keeps this client from others').action(run(commands.doctor))
  program.command('why').description('the path to a contact, and why not a better one').argument('<contact>').action(run(commands.why))
  program
    .command('verify')
    .description('safety number of a contact, and whether it was compared')
    .argument('<contact>')
    .option('--match <number>', 'what your contact reads out: marks the contact as verified if it is the same')
    .option('--yes', 'mark as verified: you have compared, or know of the changed devices')
    .option('--no', 'withdraw that')
    .action(run(commands.verify))
  program
    .command('rename')
    .description('name a contact')
    .argument('<contact>')
    .argument('<name>')
    .action(run((now, contact: string, name: string) => commands.change(now, contact, { name })))
  for (const [word, what] of Object.entries(SWITCHES)) {
    program
      .command(word)
      .description(`${word} a contact`)
      .argument('<contact>')
      .action(run((now, contact: string) => commands.change(now, contact, what)))
  }
  program
    .command('send')
    .description('send a text')
    .argument('<contact...>', 'whom to, and last the text; «-» reads it from stdin')
    .option('--wait <state>', 'queued, carried, delivered or read', 'queued')
    .option('--timeout <duration>', 'how long to wait', '20s')
    .option('--expire <duration>', 'when to give up')
    .option('--reply-to <id>', 'the message it answers')
    .action(run(commands.send))
  program
    .command('outbox')
    .description('what is not delivered yet, and why')
    .argument('[message]', 'what has become of this one, device by device')
    .option('--retry <id>', 'send a message that failed once more')
    .option('--expire <duration>', 'with --retry: when to give up')
    .option('--cancel <id>', 'give a message up')
    .action(run(delivery.outbox))
  program.command('mailbox').description('where mail lies for you while you are away').action(run(delivery.mailbox))
  program
    .command('seen')
    .description('mark messages as seen: all, or those up to one')
    .argument('<contact>')
    .argument('[id]')
    .action(run(delivery.seen))
  program
    .command('wait')
    .description('wait for a message to reach a state')
    .argument('<id>')
    .option('--state <state>', 'which', 'delivered')
    .option('--timeout <duration>', 'how long', '20s')
    .action(run(commands.wait))
  program
    .command('history')
    .description('messages with a contact')
    .argument('<contact>')
    .option('--after <id>', 'only later ones')
    .option('--before <id>', 'only earlier ones')
    .option('--limit <count>', 'how many; with --after the next ones, else the newest')
    .action(run(commands.history))
  program
    .command('mesh')
    .description('neighbours, routes, and what is carried')
    .argument('[what]', 'status, routes or bundles', 'status')
    .action(run(meshCommand))
  program
    .command('carry')
    .description('take sealed messages that wait here to another device by hand')
    .argument('<way>', 'export or import')
    .argument('<file>')
    .action(run(carry))
  addConversationCommands(program, run)
  addFileCommands(program, run)
  addBackupCommands(program, run)
  addDeviceCommands(program, run)
  addReceiptCommands(program, run)
  program.command('events').description('what happens, line by line').action(run(commands.events))
  program.command('chat').description('talk in the terminal').argument('[contact]').action(run(chat))
  program.command('config').description('effective configuration with origins').action(run(commands.config))
  program.command('stop').description('stop the running node').action(run(commands.stop))
  for (const command of program.commands.flatMap((each) => [each, ...each.commands])) command.exitOverride().configureOutput(quiet)
  return program
}

function addFileCommands(program: Command, run: Run): void {
  program
    .command('send-file')
    .description('send files and folders')
    .argument('<contact...>', 'whom to, and then the paths; «-» is what comes through a pipe')
    .option('--wait', 'until everybody has them')
    .option('--timeout <duration>', 'how long to wait; what was begun goes on')
    .option('--name <name>', 'of what comes through a pipe')
    .action(run(files.sendFile))
  program
    .command('receive')
    .description('accept what is offered, and wait for more')
    .option('--dir <folder>', 'where it is put; this folder unless said')
    .option('--from <contact>', 'only of this contact')
    .option('--once', 'end with the first that is there')
    .option('--timeout <duration>', 'how long to wait')
    .option('--always <size>', 'accept without asking, from now on, what is no larger than this; «off» ends that')
    .action(run(files.receive))
  program
    .command('transfers')
    .description('files on their way')
    .option('--pause <id>', 'pause one')
    .option('--resume <id>', 'let it go on')
    .option('--cancel <id>', 'end it, or decline it, for good')
    .option('--rate <size>', 'at most so much a second, each way; «off» for no bound')
    .action(run(files.transfers))
}

function addDeviceCommands(program: Command, run: Run): void {
  const list = program
    .command('devices')
    .description('the devices of your account')
    .action(run((now) => devices.devices(now)))
  list
    .command('link')
    .description('show a link for a new device, and compare')
    .action(run((now) => devices.link(now)))
  list
    .command('confirm')
    .description('let in the device that shows this code')
    .argument('<code>')
    .action(run((now, code: string) => devices.confirm(now, code)))
  list
    .command('reject')
    .description('refuse the device that waits')
    .action(run((now) => devices.reject(now)))
  list
    .command('revoke')
    .description('take a device out of the account, for good')
    .argument('<device>', 'id, its last characters, or name')
    .action(run((now, device: string) => devices.revoke(now, device)))
  for (const parent of [program, list])
    parent
      .command(parent === program ? 'link' : 'join')
      .description('make this a device of the account that shows the link')
      .argument('<link>')
      .action(run((now, link: string) => devices.join(now, link)))
}

function addReceiptCommands(program: Command, run: Run): void {
  const receipt = program.command('receipt').description('delivery proofs: what others have signed about your messages')
  receipt
    .command('export')
    .description('write a proof that a message came')
    .argument('<message>')
    .option('--output <file>', 'where to; else it is printed')
    .action(run(receipts.exportProof))
  receipt
    .command('verify')
    .description('check a proof, without a network and without a running node')
    .argument('<file>')
    .action(run(receipts.verify))
  const words = { allow: true, forbid: false, status: undefined } as const
  for (const [word, allowed] of Object.entries(words))
    receipt
      .command(word)
      .description(
        `${word === 'status' ? 'whether' : word} proofs ${word === 'status' ? 'are made ' : ''}with a contact, or with everybody`,
      )
      .argument('[contact]')
      .action(run((now, contact?: string) => receipts.allow(now, allowed, contact)))
}

function addBackupCommands(program: Command, run: Run): void {
  program
    .command('backup')
    .description('identity, contacts and history in one sealed file; the passphrase comes from SKEIN_BACKUP_PASSPHRASE or the terminal')
    .argument('<file>')
    .option('--plain', 'contacts and history as JSON lines, without any key, for everybody to read')
    .action(run(backup.backup))
  program
    .command('restore')
    .description('put a backup into a data directory in which nobody lives yet')
    .argument('<file>')
    .action(run(backup.restore))
}

function addConversationCommands(program: Command, run: Run): void {
  program
    .command('react')
    .description('react to a message; without an emoji the reaction is taken back')
    .argument('<id>')
    .argument('[emoji]')
    .action(run(conversation.react))
  program.command('edit').description('change a text of yours').argument('<id>').argument('<text>').action(run(conversation.edit))
  program.command('delete').description('take a message of yours back, for everybody').argument('<id>').action(run(conversation.remove))
  program
    .command('delete-conversation')
    .description('delete all messages with a contact on your devices; the contact stays, and keeps theirs')
    .argument('<contact>')
    .action(run(conversation.deleteConversation))
  program
    .command('share')
    .description('tell a contact of another one')
    .argument('<contact>', 'whom to')
    .argument('<shared>', 'whom of')
    .action(run(conversation.share))
  program
    .command('timer')
    .description('how long messages with a contact stay after reading: a duration, or off')
    .argument('<contact>')
    .argument('[after]')
    .action(run(conversation.timer))
  program
    .command('search')
    .description('messages with every word, or words that begin so')
    .argument('<query>')
    .option('--in <contact>', 'only with this contact')
    .option('--before <id>', 'only older ones')
    .option('--limit <count>', 'how many')
    .action(run(conversation.search))
}

const SWITCHES: Readonly<Record<string, { blocked?: boolean; muted?: boolean }>> = {
  block: { blocked: true },
  unblock: { blocked: false },
  mute: { muted: true },
  unmute: { muted: false },
}

function upFlags(options: Record<string, unknown>, { debug }: { debug?: boolean }): Record<string, unknown> {
  const { relay, lan, mesh, portMapping, ...rest } = options
  return {
    ...rest,
    ...(relay === undefined ? {} : { relays: relay }),
    ...(lan === false ? { lan } : {}),
    ...(portMapping === false ? { portMapping } : {}),
    ...(mesh === false ? { mesh } : {}),
    ...(debug ? { log: 'debug' } : {}),
  }
}
