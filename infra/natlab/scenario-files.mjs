// A file on its way while the network changes below it: the sender roams to a mobile network, the relay dies and comes back, the
// sender is home again. What has come is not sent again.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { FOLDER } from './laboratory.mjs'
import { eventually } from './programs.mjs'

const BYTES = 24_000_000
const RATE = '2MB'
const OUTAGE_MS = 3_000
/** For one of the parts between two changes. */
const PART_WITHIN_MS = 180_000

/** @param roam takes the sender to its other network, or home @returns whether it is whole, and bytes that went twice as a share */
export async function fileOnTheWay({ lab: { a, b, relays } }, roam) {
  const file = `${FOLDER}/roaming.bin`
  writeFileSync(file, randomBytes(BYTES))
  await b.ask(['receive', '--from', a.account, '--always', '1GB', '--dir', `${FOLDER}/roamed`])
  await a.ask(['transfers', '--rate', RATE])
  const { transfer } = await a.ask(['send-file', b.account, file])
  const now = async (side) => (await side.ask(['transfers'])).transfers.find((each) => each.transfer === transfer)
  const comesTo = (share) => eventually(`${share} of the file`, async () => ((await now(b))?.bytes ?? 0) >= share * BYTES, PART_WITHIN_MS)
  await comesTo(0.1)
  roam(true)
  await comesTo(0.35)
  await relays[0].end('SIGKILL')
  await sleep(OUTAGE_MS)
  await relays[0].start()
  await comesTo(0.6)
  roam(false)
  await comesTo(0.8)
  await a.ask(['transfers', '--rate', 'off'])
  await eventually('the whole file', async () => (await now(b))?.state === 'done', PART_WITHIN_MS)
  await eventually('the sender knows', async () => (await now(a))?.state === 'done', PART_WITHIN_MS)
  const [sent, received] = [await now(a), await now(b)]
  const twice = ({ moved }) => Number((moved / BYTES - 1).toFixed(4))
  return { whole: sent.sha256 === received.sha256, moved_twice: twice(received), sent_twice: twice(sent) }
}
