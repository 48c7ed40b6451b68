// The Network tab of a window, of a node in a mesh of real processes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { MeshLaboratory, sendMany, tally } from './mesh-lab.mjs'
import { inside } from './network.mjs'

const DESKTOP = fileURLToPath(new URL('../../apps/desktop/bundle/main.js', import.meta.url))
const PROBE = fileURLToPath(new URL('window-probe.mjs', import.meta.url))
const DRAIN_WITHIN_MS = 90_000

class Probe {
  #child
  #lines

  constructor(box, url) {
    const [program, ...args] = [...inside(box), process.execPath, PROBE, url]
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async answer() {
    const { value } = await this.#lines.next()
    const answer = value === undefined ? { failure: 'the browser has gone' } : JSON.parse(value)
    if (answer.failure !== undefined) throw new Error(`${answer.failure} ${answer.page ?? ''}`)
    return answer
  }

  ask(question) {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`)
    return this.answer()
  }

  async end() {
    if (this.#child.exitCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.stdin.end()
    await gone
  }
}

/**
 * Three in a line; the first has a window. It shows its neighbour, the way to the contact behind it, and, when that way is cut, what
 * is carried; all of it changes back when the way is there again.
 */
async function meshWindow({ scenario }) {
  const shape = {
    nodes: 3,
    edges: [
      [0, 1],
      [1, 2],
    ],
    contacts: [[0, 2]],
  }
  const lab = await MeshLaboratory.open(shape)
  let probe
  try {
    const [ana, , bo] = lab.clients
    await sendMany({ from: bo, to: ana, count: 1, wait: 'delivered' })
    await ana.end()
    probe = new Probe(ana.box, await ana.openWindow(DESKTOP))
    await probe.answer()
    const alone = await probe.ask({ until: { neighbours: 1 } })
    await probe.ask({ send: 'over the one between us', to: bo.box })
    const routed = await probe.ask({ until: { neighbours: 1, routes: 1, carried: 0 } })
    lab.setEdges([1], 'down')
    await probe.ask({ send: 'carried until you are back', to: bo.box })
    const cut = await probe.ask({ until: { neighbours: 1, routes: 0, carried: 1 } })
    lab.setEdges([1], 'up')
    await probe.ask({ until: { neighbours: 1, carried: 0 } })
    // Whoever carried it has met the recipient: no way was looked for.
    await probe.ask({ send: 'over the same one again', to: bo.box })
    const healed = await probe.ask({ until: { neighbours: 1, routes: 1, carried: 0 } })
    const { latencies: _, ...counts } = await tally([[bo, ana]], DRAIN_WITHIN_MS)
    const got = (await bo.messages(ana)).filter(({ direction }) => direction === 'in').map(({ text }) => text)
    return { scenario, nodes: 3, ...counts, got, alone, routed, cut, healed }
  } finally {
    await probe?.end()
    await lab.close()
  }
}

export const WINDOW_SCENARIOS = { 'mesh-window': meshWindow }
