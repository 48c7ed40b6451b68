/** `skein up`: the headless daemon in the foreground. */
import { createClient, loadConfig } from '@skein/node'
import { giveBackMemory } from './give-back-memory.ts'
import type { Output } from './output.ts'
import { askPassphrase } from './passphrase.ts'

/** Nothing may take longer than this to stop, whatever state the network is in. */
const STOP_WITHIN_MS = 5_000

export async function up(dataDir: string, flags: Record<string, unknown>, output: Output): Promise<number> {
  const client = await createClient({ dataDir, askPassphrase, ...loadConfig({ dataDir, env: process.env, flags }) })
  const { account, device } = client.messenger.identity
  const addresses = client.swarm.addresses()
  output.result(
    { event: 'ready', account, device, addresses, pid: process.pid },
    `Skein is running.\n  account  ${account}\n  device   ${device}\nStop it with Ctrl-C or «skein stop».`,
  )
  giveBackMemory()
  await Promise.race([client.stopRequested, signalled()])
  setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
  await client.stop()
  return 0
}

function signalled(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
}
