/** Browsers in the chaos: tabs are closed while somebody writes, loaded again and opened twice, and a browser deletes what it keeps. */
import { randomBytes, randomInt } from 'node:crypto'
import { addCounts, countPair, type PairCounts } from './chaos-count.ts'
import { eventually, type LabClient } from './processes.ts'
import { type PageClient, Pages } from './browser/pages.ts'

const PAUSE_MS = 400
/** Messages of a conversation that are looked at. */
const MOST = 1_000
const GIVEN_MS = 60_000

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Context = Awaited<ReturnType<Pages['context']>>

interface Written {
  readonly id: string
  readonly text: string
}

/** One person in a browser, and the client of the command line that they write with. */
class Surfer {
  readonly name: string
  readonly peer: LabClient
  account = ''
  /** What each side was told is queued. */
  readonly sent: string[] = []
  readonly answered: string[] = []
  private readonly pages: Pages
  private readonly context: Context
  private readonly relays: readonly string[]
  private tabs: PageClient[] = []
  /** Given to a tab that was closed before it answered: nobody knows whether it was sent. */
  private unsure: Written[] = []

  constructor(pages: Pages, context: Context, { name, peer, relays }: { name: string; peer: LabClient; relays: readonly string[] }) {
    this.pages = pages
    this.context = context
    this.name = name
    this.peer = peer
    this.relays = relays
  }

  private get tab(): PageClient {
    const [first] = this.tabs
    if (first === undefined) throw new Error(`${this.name} has no tab`)
    return first
  }

  async open(): Promise<void> {
    this.tabs.push(await this.pages.tab(this.context, { name: this.name, relays: this.relays }))
    this.account = (await this.tab.call('status')).account
  }

  async befriend(): Promise<void> {
    await this.peer.joined()
    const { json } = await this.peer.run('invite')
    await this.tab.call('add', { invite: json.invite })
    await eventually(`${this.name} is a contact`, async () =>
      (await this.peer.run('contacts')).json.contacts.some(
        (each: { contact: string; state: string }) => each.contact === this.account && each.state === 'accepted',
      ),
    )
  }

  /** What was given to a tab that has gone is given to the next under its id, and goes once. */
  async write(text: string): Promise<void> {
    const all = [...this.unsure, { id: randomBytes(16).toString('hex'), text }]
    this.unsure = []
    for (const each of all) await this.give(each)
  }

  private async give(written: Written): Promise<void> {
    const { id, text } = written
    try {
      await this.tab.call('send', { contacts: [this.peer.account], text, id, wait: 'queued', timeout_ms: 10_000 })
      this.sent.push(id)
    } catch {
      this.unsure.push(written)
    }
  }

  async answer(text: string): Promise<void> {
    const { code, json } = await this.peer.run('send', this.account, '--', text)
    if (code === 0) this.answered.push(String(json.messages[0].id))
  }

  /** @returns what was done to it */
  async hurt(): Promise<string> {
    const roll = randomInt(3)
    if (roll === 0) return this.closeWhileWriting()
    if (roll === 1) {
      await Promise.all([this.write('while it is loaded again'), this.tab.page.reload().catch(() => undefined)])
      await this.tab.ready()
      return `${this.name} loads its page again`
    }
    await this.open()
    await Promise.all([this.write('while another tab takes over'), this.tabs.shift()?.page.close()])
    await this.tab.ready()
    return `${this.name} closes the first of two tabs`
  }

  private async closeWhileWriting(): Promise<string> {
    const gone = this.tabs
    const writing = this.write('while the tab is closed')
    await Promise.all(gone.map(({ page }) => page.close()))
    await writing
    this.tabs = []
    await this.open()
    return `${this.name} closes its tab while it writes`
  }

  /** The browser deletes everything: who comes back is somebody else. */
  async loseStorage(): Promise<void> {
    const before = this.account
    const session = await this.context.newCDPSession(this.tab.page)
    const origin = new URL(this.tab.page.url()).origin
    await this.tab.page.goto('about:blank')
    await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' })
    await this.tab.page.close()
    this.tabs = []
    await this.open()
    if (this.account === before) throw new Error('what was deleted is still there')
  }

  /** Nothing is on its way any more, at either side. */
  async settle(end: number): Promise<void> {
    if (this.unsure.length > 0) await this.write('the last one')
    for (; performance.now() < end; await rest(PAUSE_MS)) {
      const mine = (await this.tab.call('outbox')).outbox.length
      const theirs = (await this.peer.run('outbox')).json.outbox.filter(({ contact }: { contact: string }) => contact === this.account)
      if (mine === 0 && theirs.length === 0) return
    }
  }

  async counts(): Promise<readonly PairCounts[]> {
    const { messages: here } = await this.tab.call('history', { contact: this.peer.account, limit: MOST })
    const there = (await this.peer.run('history', this.account, '--limit', String(MOST))).json.messages
    return [countPair(this.sent, here, there), countPair(this.answered, there, here)]
  }
}

export interface BrowserFigures extends PairCounts {
  messages: number
  tabs_hurt: number
  storage_lost: number
}

/** Two browsers that write with one client. */
export class ChaosBrowsers implements AsyncDisposable {
  private readonly pages: Pages
  private readonly surfers: readonly Surfer[]
  /** Of identities that are gone, by the account they had. */
  private readonly departed = new Map<string, readonly string[]>()
  private readonly peer: LabClient
  private hurts = 0

  private constructor(pages: Pages, peer: LabClient, surfers: readonly Surfer[]) {
    this.pages = pages
    this.peer = peer
    this.surfers = surfers
  }

  static async open(peer: LabClient, relays: readonly string[]): Promise<ChaosBrowsers> {
    const pages = await Pages.open()
    const surfers = await Promise.all(['b0', 'b1'].map(async (name) => new Surfer(pages, await pages.context(), { name, peer, relays })))
    const browsers = new ChaosBrowsers(pages, peer, surfers)
    for (const surfer of surfers) {
      await surfer.open()
      await surfer.befriend()
    }
    await browsers.loseStorage()
    return browsers
  }

  /** One of them loses what its browser keeps, before anything else goes wrong: what it sent before counts for who it was. */
  private async loseStorage(): Promise<void> {
    const last = this.surfers.at(-1)
    if (last === undefined) return
    await last.write('before the storage was deleted')
    await last.settle(performance.now() + GIVEN_MS)
    this.departed.set(last.account, last.sent.splice(0))
    await last.loseStorage()
    await last.befriend()
  }

  async run(end: number, log: (line: string) => void): Promise<void> {
    await Promise.all(this.surfers.map((surfer) => this.trouble(surfer, end, log)))
  }

  private async trouble(surfer: Surfer, end: number, log: (line: string) => void): Promise<void> {
    for (let number = 0; number === 0 || performance.now() < end; number += 1) {
      await surfer.write(`message ${number}`)
      await surfer.answer(`answer ${number}`)
      log(await surfer.hurt())
      this.hurts += 1
      await rest(randomInt(PAUSE_MS))
    }
  }

  /** @param within milliseconds in which everything has to arrive */
  async figures(within: number): Promise<BrowserFigures> {
    const end = performance.now() + within
    const all = { delivered: 0, lost: 0, doubled: 0, misordered: 0, unknown: 0 }
    for (const surfer of this.surfers) {
      await surfer.settle(end)
      for (const counts of await surfer.counts()) addCounts(all, counts)
    }
    for (const [account, sent] of this.departed) {
      const there = (await this.peer.run('history', account, '--limit', String(MOST))).json.messages
      // Its own history went with the storage: what it sent without hearing that it was queued nobody knows.
      const out = sent.map((id) => ({ id, direction: 'out', text: '' }) as const)
      addCounts(all, { ...countPair(sent, out, there), unknown: 0 })
    }
    const { departed, hurts, surfers } = this
    const lists = [...surfers.flatMap(({ sent, answered }) => [sent, answered]), ...departed.values()]
    return { messages: lists.flat().length, ...all, tabs_hurt: hurts, storage_lost: departed.size }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.pages[Symbol.asyncDispose]()
  }
}
