// Builds a plan out of network namespaces, and takes it down again. Everything lives in the namespaces of the sandbox
// (sandbox.mjs), so that the kernel removes what is left when the laboratory dies.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PUMP = fileURLToPath(new URL('pump.py', import.meta.url))
/** A command that builds takes milliseconds. */
const COMMAND_WITHIN_MS = 10_000
/** Room for what nft lists. */
const MAX_OUTPUT = 16 * 1024 * 1024
/** Namespace in which the pump makes its devices before they are moved. */
const WORKSHOP = 'workshop'

const HOST_SETTINGS = `
net.ipv6.conf.all.accept_dad=0
net.ipv6.conf.default.accept_dad=0
net.ipv4.conf.all.rp_filter=0
net.ipv4.conf.default.rp_filter=0`
const ROUTER_SETTINGS = `
net.ipv4.ip_forward=1
net.ipv6.conf.all.forwarding=1
net.ipv4.conf.all.send_redirects=0
net.ipv4.conf.default.send_redirects=0`

/** Runs a program to its end; returns its stdout. @throws Error with what it wrote to stderr */
export function must(program, args, input = '') {
  const options = { input, encoding: 'utf8', timeout: COMMAND_WITHIN_MS, maxBuffer: MAX_OUTPUT }
  const { status, stdout, stderr, error } = spawnSync(program, args, options)
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`)
  return stdout
}

/** What goes before a command so that it runs inside a box. */
export const inside = (box) => ['nsenter', `--net=/run/netns/${box}`, '--']

/** Whether this kernel can delay packets by itself. */
function hasNetem() {
  return spawnSync('tc', ['qdisc', 'replace', 'dev', 'lo', 'root', 'netem', 'delay', '1ms'], { stdio: 'ignore' }).status === 0
}

export class Network {
  #boxes = []
  #bridges = new Set()
  #pump
  #delay

  /** @param {number} delay of each slow wire, milliseconds one way */
  static async build(plan, { delay }) {
    const network = new Network(delay)
    try {
      for (const [name, box] of Object.entries(plan.boxes)) network.#addBox(name, box)
      await network.#wire(plan.wires)
      for (const route of plan.routes) network.addRoute(route)
      return network
    } catch (error) {
      await network.close()
      throw error
    }
  }

  constructor(delay) {
    this.#delay = delay
  }

  /** Runs a command inside a box to its end. */
  run(box, command, input) {
    const [program, ...args] = [...inside(box), ...command]
    return must(program, args, input)
  }

  addRoute({ box, to, via }) {
    if (to === 'blackhole') return must('ip', ['-n', box, 'route', 'add', 'blackhole', 'default'])
    return must('ip', ['-n', box, ...(via.includes(':') ? ['-6'] : []), 'route', 'replace', to, 'via', via])
  }

  addAddress({ box, name, address }) {
    must('ip', ['-n', box, 'address', 'add', address, 'dev', name])
  }

  setLink(box, name, state) {
    must('ip', ['-n', box, 'link', 'set', 'dev', name, state])
  }

  setRules(box, rules) {
    this.run(box, ['nft', '-f', '-'], rules)
  }

  async close() {
    if (this.#pump !== undefined && this.#pump.exitCode === null) {
      const gone = once(this.#pump, 'exit')
      this.#pump.kill('SIGKILL')
      await gone
    }
    for (const box of this.#boxes.splice(0)) must('ip', ['netns', 'del', box])
  }

  #addBox(name, { forwards = false, bridge = false, rules } = {}) {
    must('ip', ['netns', 'add', name])
    this.#boxes.push(name)
    this.run(name, ['sysctl', '-q', '-p', '-'], `${HOST_SETTINGS}${forwards ? ROUTER_SETTINGS : ''}\n`)
    must('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
    if (bridge) must('ip', ['-n', name, '-batch', '-'], 'link add bridge0 type bridge mcast_snooping 0\nlink set bridge0 up\n')
    if (rules !== undefined) this.setRules(name, rules)
    if (bridge) this.#bridges.add(name)
  }

  async #wire(wires) {
    const slow = this.#delay > 0 ? wires.filter((wire) => wire.slow) : []
    const pumped = slow.length > 0 && !hasNetem()
    if (pumped) await this.#startPump(slow)
    for (const wire of wires) {
      const isSlow = slow.includes(wire)
      if (!(pumped && isSlow)) this.#addCable(wire)
      if (!pumped && isSlow) this.#addNetem(wire)
      for (const end of wire.ends) this.#setUp(end)
    }
  }

  #addCable({ ends: [left, right] }) {
    const peer = ['peer', 'name', right.name, 'netns', right.box]
    must('ip', ['link', 'add', 'name', left.name, 'netns', left.box, 'type', 'veth', ...peer])
  }

  #addNetem({ ends }) {
    for (const { box, name } of ends) {
      this.run(box, ['tc', 'qdisc', 'add', 'dev', name, 'root', 'netem', 'delay', `${this.#delay}ms`, 'limit', '10000'])
    }
  }

  async #startPump(wires) {
    must('ip', ['netns', 'add', WORKSHOP])
    this.#boxes.push(WORKSHOP)
    const names = wires.map((_, at) => [`tap${at}l`, `tap${at}r`])
    const [program, ...args] = [...inside(WORKSHOP), 'python3', PUMP, String(this.#delay), ...names.map((pair) => pair.join(':'))]
    this.#pump = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    await Promise.race([
      once(this.#pump.stdout, 'data'),
      once(this.#pump, 'exit').then(() => Promise.reject(new Error('the delay pump could not start'))),
    ])
    for (const [at, { ends }] of wires.entries()) {
      for (const [side, { box, name }] of ends.entries()) {
        must('ip', ['-n', WORKSHOP, 'link', 'set', 'dev', names[at][side], 'netns', box, 'name', name])
      }
    }
  }

  #setUp({ box, name, addresses = [] }) {
    const lines = addresses.map((address) => `address add ${address} dev ${name}${address.includes(':') ? ' nodad' : ''}`)
    if (this.#bridges.has(box)) lines.push(`link set dev ${name} master bridge0`)
    must('ip', ['-n', box, '-batch', '-'], `${[...lines, `link set dev ${name} up`].join('\n')}\n`)
  }
}

/** Path of a program of this checkout, e.g. `skein`. */
export const binary = (name) => join(fileURLToPath(new URL('../../bin/', import.meta.url)), name)
