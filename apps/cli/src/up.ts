/** `skein up`: the headless daemon in the foreground. */
import { createClient, findInterface, loadConfig, type RunningClient } from '@skein/node'
import { countBytesOutside, giveBackMemory } from './give-back-memory.ts'
import type { Output } from './output.ts'
import { askPassphrase } from './passphrase.ts'

/** Nothing may take longer than this to stop, whatever state the network is in. */
const STOP_WITHIN_MS = 5_000

export async function up(dataDir: string, flags: Record<string, unknown>, output: Output): Promise<number> {
  const signal = signalled()
  let told = false
  for (;;) {
    countBytesOutside()
    const client = await createClient({
      dataDir,
      askPassphrase,
      ui: findInterface(import.meta.url),
      ...loadConfig({ dataDir, env: process.env, flags }),
    })
    if (!told) tell(client, output)
    told = true
    const why = await Promise.race([client.stopRequested, signal])
    const late = setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref()
    await client.stop()
    if (why === 'stop') return 0
    // It is another account's device now.
    clearTimeout(late)
  }
}

function tell(client: RunningClient, output: Output): void {
  const { account, device } = client.messenger.identity
  output.result(
    { event: 'ready', account, device, addresses: client.swarm.addresses(), pid: process.pid },
    `Skein is running.\n  account  ${account}\n  device   ${device}\nStop it with Ctrl-C or «skein stop».`,
  )
  giveBackMemory()
}

function signalled(): Promise<'stop'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve('stop'))
  })
}
