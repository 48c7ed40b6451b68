/** A bare Debian in a folder, and one that has booted with its own systemd and a network of its own: for tests as root on Debian. */
import { type ChildProcess, spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { eventually } from './processes.ts'

/** Of one program, ms. */
const WITHIN_MS = 600_000

/** @returns what it has printed @throws Error when it fails */
export function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', ...env },
    timeout: WITHIN_MS,
  })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`)
  return `${stdout}${stderr}`
}

/** Installs the packages of the programs that are missing. @param programs program → package */
export function ensurePrograms(programs: Readonly<Record<string, string>>): void {
  const missing = Object.entries(programs).filter(([program]) => spawnSync('which', [program]).status !== 0)
  if (missing.length === 0) return
  run('apt-get', ['-qq', 'update'])
  for (const [, name] of missing) run('apt-get', ['-qq', '-y', 'install', '--no-install-recommends', name])
}

/** Makes a bare Debian 12 in `folder`. @param packages beyond the smallest system */
export function bareDebian(folder: string, packages: readonly string[] = []): void {
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`]
  run('debootstrap', ['--variant=minbase', ...include, 'bookworm', folder, mirror()])
}

/** Where this machine's own packages come from, if it is a Debian. */
function mirror(): string {
  if (!/^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))) return 'https://deb.debian.org/debian'
  const lines = run('apt-get', ['indextargets', '--format', '$(REPO_URI)']).split('\n')
  const found = lines.find((each) => each !== '' && !each.includes('security'))
  if (found === undefined) throw new Error('apt has no source of packages')
  return found
}

/** A system that runs: PID 1 is its own systemd, its network has nothing but what the test puts there. */
export class BootedSystem implements AsyncDisposable {
  private readonly container: ChildProcess
  private readonly pid: number

  private constructor(container: ChildProcess, pid: number) {
    this.container = container
    this.pid = pid
  }

  /** @param binds folders of this machine that it may read, by their place in it */
  static async boot(folder: string, binds: Readonly<Record<string, string>>): Promise<BootedSystem> {
    const seen = Object.entries(binds).map(([place, of]) => `--bind-ro=${of}:${place}`)
    // Without a systemd on this machine there is nobody who could make a place for it.
    const unit = existsSync('/run/systemd/system') ? [] : ['--keep-unit']
    const options = ['--quiet', '--register=no', ...unit, '--private-network', '--console=pipe', `--directory=${folder}`, ...seen]
    const container = spawn('systemd-nspawn', [...options, '--boot'], { stdio: 'ignore' })
    let pid: number | undefined
    await eventually('the system has a first process', () => {
      if (container.exitCode !== null) throw new Error(`systemd-nspawn ended with ${container.exitCode}`)
      pid = firstProcess(container.pid ?? 0)
      return pid !== undefined
    })
    const system = new BootedSystem(container, pid ?? 0)
    await eventually('the system has booted', () => /running|degraded/.test(system.run('systemctl', 'is-system-running').stdout))
    return system
  }

  /** Runs a program of the system inside it, as root. */
  run(...command: readonly string[]): SpawnSyncReturns<string> {
    return this.enter(['--all'], command)
  }

  /** Runs a program of this machine in the network of the system. */
  inNetwork(...command: readonly string[]): SpawnSyncReturns<string> {
    return this.enter(['--net'], command)
  }

  private enter(namespaces: readonly string[], command: readonly string[]): SpawnSyncReturns<string> {
    const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }
    return spawnSync('/usr/bin/nsenter', ['--target', String(this.pid), ...namespaces, ...command], {
      encoding: 'utf8',
      env,
      timeout: WITHIN_MS,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.container.exitCode !== null || this.container.signalCode !== null) return
    const gone = once(this.container, 'exit')
    // Its first process ends with it, and all others with that.
    this.container.kill('SIGKILL')
    await gone
  }
}

/** The descendant that is number 1 in its own numbering. */
function firstProcess(parent: number): number | undefined {
  const children = read(`/proc/${parent}/task/${parent}/children`)
    .split(' ')
    .filter((each) => each !== '')
    .map(Number)
  const own = children.find((each) => /^NSpid:.*\t1$/m.test(read(`/proc/${each}/status`)) && read(`/proc/${each}/comm`) === 'systemd\n')
  return own ?? children.map(firstProcess).find((each) => each !== undefined)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
