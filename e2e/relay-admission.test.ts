/** A relay that does not admit everybody, with real clients. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, type LabClient, type LabRelay } from './processes.ts'

const RELAY = fileURLToPath(new URL('../apps/relay/bundle/main.js', import.meta.url))

/** A relay in mode `token`, and a token for it. */
async function guarded(lab: Lab): Promise<{ relay: LabRelay; token: string }> {
  const dir = lab.path('guarded')
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'settings.json'), '{"mode":"token"}')
  const relay = await lab.relay('guarded')
  return { relay, token: String(operate(relay, 'token', 'create')['token']) }
}

function operate(relay: LabRelay, ...args: readonly string[]): Record<string, unknown> {
  const { stdout } = spawnSync(process.execPath, [RELAY, '--json', '--data-dir', relay.dir, ...args], { encoding: 'utf8' })
  return JSON.parse(stdout) as Record<string, unknown>
}

const reserved = async (client: LabClient): Promise<boolean> => (await client.run('status')).json.relays[0]?.reserved === true

it('[RL7] a token behind the URL gets a place and is told to nobody; without one there is none', async () => {
  await using lab = new Lab()
  const { relay, token } = await guarded(lab)
  const ana = await lab.client('ana', [`${relay.url}/#token=${token}`])
  await eventually('ana has a place', () => reserved(ana))
  const status = (await ana.run('status')).json
  expect(status.relays[0].url).toBe(relay.url)
  const { json } = await ana.run('invite')
  expect(json.invite).not.toContain(token)
  const stranger = await lab.client('stranger', [relay.url])
  await eventually('the stranger is refused', async () => {
    const text = await (await fetch(`${relay.url}/metrics`)).text()
    return /skein_relay_requests_total\{kind="reserve",status="denied"\} [1-9]/.test(text)
  })
  expect(await reserved(stranger)).toBe(false)
  expect(operate(relay, 'status')).toMatchObject({ mode: 'token', reservations: 1, members: 1 })
  // Once admitted the device is known: the token may go.
  operate(relay, 'limits', 'mode=closed')
  await ana.end()
  await ana.start()
  await eventually('ana has her place again', () => reserved(ana))
})

it('[RL8, IN7] who takes an invite of a member is admitted to the relay of the invite', async () => {
  await using lab = new Lab()
  const { relay, token } = await guarded(lab)
  const ana = await lab.client('ana', [`${relay.url}/#token=${token}`])
  await eventually('ana has a place', () => reserved(ana))
  const bo = await lab.client('bo', [relay.url])
  expect(await reserved(bo)).toBe(false)
  await befriend(ana, bo)
  await eventually('bo has a place', () => reserved(bo))
  expect(operate(relay, 'status')).toMatchObject({ members: 2, reservations: 2 })
  operate(relay, 'deny', String((await bo.run('status')).json.device))
  await eventually('bo is out', async () => !(await reserved(bo)))
})
