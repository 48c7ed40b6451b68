// One laboratory: a network, relays in it, and the clients `a` and `b`.
import { mkdirSync, rmSync } from 'node:fs'
import { randomText } from './chance.mjs'
import { Network } from './network.mjs'
import { RELAYS } from './plan.mjs'
import { ClientProcess, eventually, RelayProcess } from './programs.mjs'

/** In memory, and gone with the sandbox. */
export const FOLDER = '/run/natlab'
const JOIN_WITHIN_MS = 20_000
const BEFRIEND_WITHIN_MS = 30_000
/** What is sent to see whether a relay carries it, bytes: text that cannot be compressed below three quarters. */
const BURST = 48_000
/** Half of it is far from both «all of it» and «only pings», which are a few hundred bytes. */
const CARRIED_SHARE = 0.5

export class Laboratory {
  network
  relays
  a
  b
  #delay

  /** Everything built and running but the clients. @param {number} relays how many */
  static async open(plan, { delay, relays = 1 }) {
    const lab = new Laboratory(relays, delay)
    lab.network = await Network.build(plan, { delay })
    try {
      await Promise.all(lab.relays.map((relay) => relay.start()))
      return lab
    } catch (error) {
      await lab.close()
      throw error
    }
  }

  constructor(relays, delay) {
    this.#delay = delay
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

  /** The clients are stopped and find themselves in another network, without relays, when they start again. */
  async moveTo(plan) {
    await Promise.all([this.a.end(), this.b.end(), ...this.relays.map((relay) => relay.end('SIGKILL'))])
    await this.network.close()
    this.network = await Network.build(plan, { delay: this.#delay })
  }

  async #areContacts() {
    const sides = await Promise.all([this.a, this.b].map((each) => each.ask(['contacts'])))
    return sides.every(({ contacts }) => contacts.some(({ state }) => state === 'accepted'))
  }

  /** Bytes that all relays have received from the network so far. */
  received() {
    return this.relays.reduce((sum, _, number) => sum + this.receivedBy(number), 0)
  }

  receivedBy(number) {
    const { nftables } = JSON.parse(this.network.run(RELAYS[number].box, ['nft', '-j', 'list', 'counters']))
    return nftables.find(({ counter }) => counter !== undefined).counter.bytes
  }

  /** Whether a relay carries what these two send each other, in either direction. @throws Error if it does not arrive */
  async carriesBetween(one, other, random) {
    const both = async () => (await this.#carries([one, other], random)) || (await this.#carries([other, one], random))
    // Once more: on a busy machine a message may have been left in a mailbox as well, because its receipt took long.
    return (await both()) && (await both())
  }

  /** By what the relays receive alone. */
  async #carries([from, to], random) {
    const before = this.received()
    await from.ask(['send', to.account, '--wait', 'delivered', '--', '-'], randomText(random, BURST))
    return this.received() - before > BURST * CARRIED_SHARE
  }

  async close() {
    await Promise.all([this.a, this.b, ...this.relays].map((each) => each.end('SIGKILL')))
    await this.network.close()
    rmSync(FOLDER, { recursive: true, force: true })
  }
}
