/** Bytes that the machine's network interfaces have carried, which is what a provider bills. Linux; elsewhere unknown. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const CLASS = '/sys/class/net'
const BOOT_ID = '/proc/sys/kernel/random/boot_id'
/** Columns of /proc/net/dev behind the colon (proc_pid_net(5)). */
const RECEIVED = 0
const SENT = 8

export interface InterfaceReading {
  /** Received and sent since the machine started. */
  readonly bytes: number
  /** Tells one start of the machine, and one set of interfaces, from another. */
  readonly epoch: string
}

export interface InterfaceFiles {
  readonly dev: string
  readonly classes: string
  readonly bootId: string
}
const FILES: InterfaceFiles = { dev: '/proc/self/net/dev', classes: CLASS, bootId: BOOT_ID }

/** `undefined` where it cannot be read. Loopback does not count; bridges and tunnels do not where there is real hardware. */
export function readInterfaces(files: InterfaceFiles = FILES): InterfaceReading | undefined {
  try {
    const rows = outward(parseDev(readFileSync(files.dev, 'utf8')), files.classes)
    if (rows.length === 0) return undefined
    const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
    return { bytes, epoch: `${readFileSync(files.bootId, 'utf8').trim()} ${rows.map(({ name }) => name).join(' ')}` }
  } catch {
    return undefined
  }
}

interface Row {
  readonly name: string
  readonly bytes: number
}

/**
 * Hardware, or in a container whatever there is: a bridge would count what its members carry once more. What there is
 * stands in /proc, which is always of the own network; /sys may show another one.
 */
function outward(rows: readonly Row[], classes: string): readonly Row[] {
  const others = rows.filter(({ name }) => name !== 'lo')
  const hardware = others.filter(({ name }) => existsSync(join(classes, name, 'device')))
  return hardware.length > 0 ? hardware : others
}

function parseDev(text: string): Row[] {
  return text.split('\n').flatMap((line) => {
    const [name, columns] = line.split(':')
    if (name === undefined || columns === undefined) return []
    const numbers = columns.trim().split(/\s+/).map(Number)
    return [{ name: name.trim(), bytes: (numbers[RECEIVED] ?? 0) + (numbers[SENT] ?? 0) }]
  })
}
