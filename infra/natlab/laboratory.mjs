// One laboratory: a network, relays in it, and the clients `a` and `b`.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Network } from './network.mjs'
import { RELAYS } from './plan.mjs'
import { ClientProcess, eventually, RelayProcess } from './programs.mjs'

/** In memory, and gone with the sandbox. */
const FOLDER = '/run/natlab'
const JOIN_WITHIN_MS = 20_000
const BEFRIEND_WITHIN_MS = 30_000

export class Laboratory {
  network
  relays
  a
  b

  /** Everything built and running but the clients. @param {number} relays how many */
  static async open(plan, { delay, relays = 1 }) {
    const lab = new Laboratory(relays)
    lab.network = await Network.build(plan, { delay })
    try {
      await Promise.all(lab.relays.map((relay) => relay.start()))
      return lab
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  constructor(relays) {
    rmSync(FOLDER, { recursive: true, force: true })
    mkdirSync(FOLDER)
    this.relays = Array.from({ length: relays }, (_, number) => new RelayProcess(FOLDER, number))
    const urls = this.relays.map(({ url }) => url)
    this.a = new ClientProcess(FOLDER, 'a', urls)
    this.b = new ClientProcess(FOLDER, 'b', urls)
  }

  /** Both clients started and contacts of each other, by an invite of `a`. */
  async befriend() {
    const { a, b } = this
    await Promise.all([a.start(), b.start()])
    await a.joined(JOIN_WITHIN_MS)
    const { invite } = await a.ask(['invite'])
    await b.ask(['add', invite])
    await eventually('both are contacts', () => this.#areContacts(), BEFRIEND_WITHIN_MS)
  }

  async #areContacts() {
    const sides = await Promise.all([this.a, this.b].map((each) => each.ask(['contacts'])))
    return sides.every(({ contacts }) => contacts.some(({ state }) => state === 'accepted'))
  }

  /** Bytes all relays have received from the network so far, from outside of them. */
  received() {
    const counters = this.relays.map((_, number) => this.network.run(RELAYS[number].box, ['nft', '-j', 'list', 'counters']))
    return counters.flatMap((text) => JSON.parse(text).nftables).reduce((sum, { counter }) => sum + (counter?.bytes ?? 0), 0)
  }

  async close() {
    await Promise.allSettled([this.a.end('SIGKILL'), this.b.end('SIGKILL'), ...this.relays.map((relay) => relay.end('SIGKILL'))])
    await this.network.close()
    rmSync(join(FOLDER), { recursive: true, force: true })
  }
}
