/** The web client served to the local network, from the first invite for it on, or from the start if that is configured. */
import { isIPv4 } from 'node:net'
import { SkeinError } from '@skein/core'
import type { Libp2pSwarm } from '../../swarm/index.ts'
import { ownHosts } from './own-hosts.ts'
import { type PageServer, startPageServer } from './page-server.ts'

export interface PageDeps {
  readonly swarm: Pick<Libp2pSwarm, 'self' | 'listenForPages'>
  /** Folder with the exported interface; without one there is no page. */
  readonly ui: string | undefined
  /** Address this client listens on; 0.0.0.0 for all. */
  readonly host: string
}

export class OwnPage {
  private readonly deps: PageDeps
  private server: Promise<PageServer> | undefined

  constructor(deps: PageDeps) {
    this.deps = deps
  }

  get isPossible(): boolean {
    return this.deps.ui !== undefined
  }

  /** URLs of the page for others on the network, the best first; it is served from now on. @throws SkeinError USAGE without an interface or a network */
  async urls(): Promise<readonly [string, ...string[]]> {
    const { port } = await this.open()
    const [first, ...others] = (await this.ownHosts()).map((host) => `http://${host}:${port}`)
    if (first === undefined) throw new SkeinError('USAGE', 'This machine is on no network that a phone could be on.')
    return [first, ...others]
  }

  async close(): Promise<void> {
    await (await this.server)?.close()
  }

  private open(): Promise<PageServer> {
    const { ui, host } = this.deps
    if (ui === undefined) throw new SkeinError('USAGE', 'The interface is not here to be served; run npm start once.')
    this.server ??= startPageServer({ ui, host, describe: (asked) => this.describe(asked) })
    // What failed is tried again.
    this.server.catch(() => (this.server = undefined))
    return this.server
  }

  /** As a relay describes itself, but that it gives no places. */
  private async describe(host: string): Promise<unknown> {
    const { swarm } = this.deps
    const ports = await swarm.listenForPages()
    const kind = isIPv4(host) ? 'ip4' : 'ip6'
    const addresses = ports.map((port) => `/${kind}/${host}/tcp/${port}/ws/p2p/${swarm.self}`)
    return { version: 1, peer_id: swarm.self, addresses, places: false }
  }

  private async ownHosts(): Promise<readonly string[]> {
    const { host } = this.deps
    return host === '0.0.0.0' ? ownHosts() : [host]
  }
}
