/** `skein devices` and `skein link`: several devices of one account. */
import { createInterface } from 'node:readline/promises'
import { isSkeinError, SkeinError } from '@skein/core'
import { type ApiClient, isServed, type LinkStep, socketPath } from '@skein/node/api'
import { renderUnicodeCompact } from 'uqr'
import { type Session, withApi } from './commands.ts'
import { EXIT } from './output.ts'
import { oneLine } from './terminal-text.ts'

const spaced = (code: string): string => `${code.slice(0, 3)} ${code.slice(3)}`

export const devices = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    const listed = await api.devices()
    const lines = listed.devices.map(
      (each) => `${each.online ? '●' : '○'} ${oneLine(each.name) || 'unnamed'}  ${each.device}${each.here ? '  (this one)' : ''}`,
    )
    const revoked = listed.revoked ? ['This device was taken out of its account: it sends and gets nothing more.'] : []
    session.output.result(listed, [...revoked, ...lines].join('\n'))
  })

export const revoke = (session: Session, device: string): Promise<number> =>
  withApi(session, async (api) => {
    const revoked = await api.revokeDevice({ device })
    session.output.result(revoked, `${revoked.device} is none of your devices any more.`)
  })

/** Shows a link, waits for a new device, and asks whether both screens show the same. */
export const link = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    for await (const step of await api.link()) {
      showStep(session, step)
      if (step.state === 'compare') await ask(session, api, step)
      if (step.state === 'failed') throw new SkeinError(step.code as SkeinError['code'], step.message)
    }
    return EXIT.done
  })

function showStep({ output }: Session, step: LinkStep): void {
  if (step.state === 'failed') return
  if (step.state === 'waiting')
    output.result(
      { event: 'waiting', ...step },
      `${renderUnicodeCompact(step.link)}\n${step.link}\n\nOn the new device: skein link '${step.link}'\nGood for ten minutes and one device.`,
    )
  else if (step.state === 'compare')
    output.result({ event: 'compare', ...step }, `«${oneLine(step.name)}» wants to join. Here it says:  ${spaced(step.code)}`)
  else output.result({ event: 'linked', ...step }, 'The new device is linked.')
}

/** Nobody at the terminal: `skein devices confirm` or `reject` says it from elsewhere. */
async function ask({ output }: Session, api: ApiClient, { code }: Extract<LinkStep, { state: 'compare' }>): Promise<void> {
  if (output.json || !process.stdin.isTTY) return
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await terminal.question(`Does the new device show ${spaced(code)} as well? [y/N] `)
  terminal.close()
  await api.decide({ accept: /^y(es)?$/i.test(answer.trim()) })
}

/** @param code as the new device shows it */
export const confirm = (session: Session, code: string): Promise<number> =>
  withApi(session, async (api) => {
    await api.decide({ accept: true, code })
    session.output.result({ decided: true }, '')
  })

export const reject = (session: Session): Promise<number> =>
  withApi(session, async (api) => {
    await api.decide({ accept: false })
    session.output.result({ decided: false }, 'Refused.')
  })

/** Makes this node a device of the account that shows the link; without a daemon, in this process. */
export async function join(session: Session, text: string): Promise<number> {
  if (await isServed(socketPath(session.dataDir))) return withApi(session, (api) => joinBy(session, api, text))
  const { createClient, loadConfig } = await import('@skein/node')
  const relay = /^https?:/i.test(text.trim()) ? { relays: [text.trim().split('#')[0]?.replace(/\/+$/, '') ?? ''] } : {}
  const loaded = loadConfig({ dataDir: session.dataDir, env: process.env, flags: {} })
  const config = loaded.config.relays.length > 0 ? loaded.config : { ...loaded.config, ...relay }
  const client = await createClient({ dataDir: session.dataDir, ...loaded, config })
  try {
    const code = await withApi(session, (api) => joinBy(session, api, text))
    await keepRelays(session, config.relays)
    return code
  } finally {
    await client.stop()
  }
}

/** The daemon that is started later finds the account's relay. */
async function keepRelays({ dataDir }: Session, relays: readonly string[]): Promise<void> {
  if (relays.length === 0) return
  const { loadConfig, saveConfig } = await import('@skein/node')
  const { config, origins } = loadConfig({ dataDir, env: process.env, flags: {} })
  if (config.relays.length > 0) return
  try {
    saveConfig({ dataDir, origins }, { relays: [...relays] })
  } catch (error) {
    if (!isSkeinError(error, 'CONFIG_INVALID')) throw error
  }
}

async function joinBy({ output }: Session, api: ApiClient, text: string): Promise<number> {
  for await (const step of await api.join({ link: text })) {
    if (step.state === 'connecting') output.result({ event: 'connecting' }, 'Looking for the other device …')
    else if (step.state === 'compare')
      output.result({ event: 'compare', code: step.code }, `Confirm on the other device if it says:  ${spaced(step.code)}`)
    else output.result({ event: 'linked', account: step.account, device: step.device }, 'Linked. History follows as soon as both run.')
  }
  return EXIT.done
}
