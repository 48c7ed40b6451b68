// `npm run bench -- relay`: our relay beside the library's and beside two joined sockets, in one run. Linux: what a process
// costs is read from /proc.
import { chatUnderLoad } from './relay/chat.mjs'
import { drained } from './relay/drain.mjs'
import { stalledReceivers } from './relay/memory.mjs'
import { Processes } from './relay/processes.mjs'
import { reservations } from './relay/reservations.mjs'
import { services } from './relay/services.mjs'
import { throughput } from './relay/throughput.mjs'

const args = process.argv.slice(2)
const json = args.includes('--json')
const only = args.find((each) => each.startsWith('--only='))?.slice(7)
const count = Number(args.find((each) => each.startsWith('--reservations='))?.slice(15) ?? 5_000)
const clients = Number(args.find((each) => each.startsWith('--clients='))?.slice(10) ?? 500)

const PARTS = {
  throughput,
  memory: stalledReceivers,
  reservations: (all) => reservations(all, count),
  chat: chatUnderLoad,
  services,
  drain: (all) => drained(all, clients),
}
const document = {}
for (const [name, part] of Object.entries(PARTS)) {
  if (only !== undefined && only !== name) continue
  const all = new Processes()
  try {
    process.stderr.write(`bench relay: ${name}\n`)
    Object.assign(document, await part(all))
  } finally {
    await all.stop()
  }
}
process.stdout.write(`${JSON.stringify(document, undefined, json ? undefined : 2)}\n`)
