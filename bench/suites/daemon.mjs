// What a user's client costs: the shipped program as a process of its own, looked at from outside.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SKEIN = fileURLToPath(new URL('../../apps/cli/bundle/main.js', import.meta.url))
/** Clock ticks a second in /proc, on every Linux that Node.js runs on. */
const TICKS = 100

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Processor time used so far, seconds. */
function cpuSeconds(pid) {
  if (process.platform === 'linux') {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  }
  const time = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim()
  return time.split(/[-:]/).reduce((total, part) => total * 60 + Number(part), 0)
}

function rssMb(pid) {
  return (Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) * 1_024) / 1e6
}

function start(dataDir, relay) {
  const args = [SKEIN, 'up', '--json', '--data-dir', dataDir, '--name', 'idle', '--no-lan', '--relay', relay]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the client did not start')))
    child.stdout.once('data', () => resolve(child))
  })
}

async function end(child) {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await gone
}

/** Time from start of the process to `ready`, milliseconds, of each of several starts; the first makes the account. */
export async function startTimes(dir, relay, rounds) {
  const times = []
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now()
    const child = await start(join(dir, 'starts'), relay)
    times.push(performance.now() - began)
    await end(child)
  }
  return times
}

/** Resident memory and share of a core of a client that has nothing to do, after it has settled for `ms`. */
export async function atRest(dir, relay, ms) {
  const child = await start(join(dir, 'rest'), relay)
  await sleep(ms / 2)
  const [cpu, began] = [cpuSeconds(child.pid), performance.now()]
  await sleep(ms)
  const cpuPercent = ((cpuSeconds(child.pid) - cpu) / ((performance.now() - began) / 1_000)) * 100
  const resident = rssMb(child.pid)
  await end(child)
  return { cpuPercent, rssMb: resident }
}
