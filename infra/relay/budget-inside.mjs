// Runs inside a network namespace of its own (budget.long.test.mjs): a relay at one end of a cable, traffic from the other, and what
// the relay counts beside what the kernel counts, over a kill and a restart. Prints one JSON document.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const RELAY = fileURLToPath(new URL('../../apps/relay/bundle/main.js', import.meta.url))
const [HERE, THERE] = ['10.99.0.1', '10.99.0.2']
/** Each some 20 kB of metrics. */
const REQUESTS = 150

function run(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
  return stdout
}

const dataDir = mkdtempSync(join(tmpdir(), 'skein-budget-'))
const other = spawn('unshare', ['--net', 'sleep', '120'], { stdio: 'ignore' })
const inOther = (...command) => run('nsenter', '-t', String(other.pid), '-n', ...command)

/** A cable between this namespace and the other. */
function lay() {
  run('ip', 'link', 'set', 'lo', 'up')
  run('ip', 'link', 'add', 'v0', 'type', 'veth', 'peer', 'name', 'v1')
  run('ip', 'link', 'set', 'v1', 'netns', String(other.pid))
  run('ip', 'addr', 'add', `${HERE}/24`, 'dev', 'v0')
  run('ip', 'link', 'set', 'v0', 'up')
  inOther('ip', 'addr', 'add', `${THERE}/24`, 'dev', 'v1')
  inOther('ip', 'link', 'set', 'v1', 'up')
}

async function start() {
  const ports = ['tcp', 'ws', 'quic', 'webrtc', 'stun', 'stun2', 'reflector'].flatMap((each) => [`--${each}`, '0'])
  const args = ['run', '--json', '--data-dir', dataDir, '--host', HERE, '--web', 'off', '--http', '8080', ...ports]
  const child = spawn(process.execPath, [RELAY, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(createInterface(child.stdout), 'line')
  return child
}

function traffic() {
  const code = `for (let n = 0; n < ${REQUESTS}; n += 1) await (await fetch('http://${HERE}:8080/metrics')).text()`
  inOther(process.execPath, '--input-type=module', '-e', code)
}

function kernel() {
  const columns = /v0:\s*(.*)/.exec(readFileSync('/proc/self/net/dev', 'utf8'))[1].trim().split(/\s+/).map(Number)
  return columns[0] + columns[8]
}

/** The relay looks every two seconds. */
async function counted() {
  await sleep(3_000)
  const { budget } = JSON.parse(run(process.execPath, RELAY, '--json', '--data-dir', dataDir, 'status'))
  return { relay: budget.used_bytes, kernel: kernel(), by: budget.counted }
}

try {
  await sleep(200)
  lay()
  const first = await start()
  traffic()
  const before = await counted()
  const gone = once(first, 'exit')
  traffic()
  first.kill('SIGKILL')
  await gone
  const second = await start()
  traffic()
  const after = await counted()
  second.kill('SIGKILL')
  process.stdout.write(`${JSON.stringify({ before, after })}\n`)
} finally {
  other.kill('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
}
