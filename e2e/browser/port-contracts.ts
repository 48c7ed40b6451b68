/** The contract of every port, in a page on the adapters that a page uses. Runs inside the page. */
import * as core from '../../packages/core/dist/index.js'
import * as contracts from '../../packages/core/dist/testing/contracts/index.js'
import { VoprfIssuer, VoprfTokens } from '../../packages/core/dist/tokens/index.js'
import {
  bundleFor,
  MemoryArchive,
  MemoryLan,
  MemoryMailboxStore,
  memoryLink,
  MemoryStore,
  VirtualClock,
} from '../../packages/core/dist/testing/index.js'
import { browserRandom, consoleLogger } from '../../packages/node/dist/platform/browser.js'
import { systemClock } from '../../packages/node/dist/platform/clock.js'
import { BrowserFiles, fileRecords, openReceived, putChosen, tidyPage } from '../../packages/node/dist/files/browser/index.js'
import { openPageStore } from '../../packages/node/dist/store/worker/open.js'
import type { Libp2pSwarm } from '../../packages/node/dist/swarm/libp2p-swarm.js'
import { createSwarm } from '../../packages/node/dist/swarm/browser.js'
import { expect, it, vi } from 'vitest'

const asked = new URLSearchParams(globalThis.location.search)
const RELAY = asked.get('relay') ?? ''
/** Which ports: `storage`, `platform`, `network`. */
const wanted = asked.getAll('ports')
const { noblePrimitives: primitives } = core
let count = 0

if (wanted.includes('platform')) platformContracts()
if (wanted.includes('platform')) standInContracts()
if (wanted.includes('storage')) storageContracts()
if (wanted.includes('storage')) fileContracts()
if (wanted.includes('storage')) tidyContract()
if (wanted.includes('network')) networkContracts()

function platformContracts(): void {
  contracts.clockContract('a page', () => ({
    clock: systemClock,
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms + 5)),
  }))
  contracts.randomContract('a page', () => browserRandom)
  contracts.compressionContract('a page', core.fflateCompression)
  // A page pays with them.
  contracts.tokensContract('a page', () => ({
    tokens: new VoprfTokens(primitives),
    issuer: (issuer, clock) => new VoprfIssuer({ primitives, clock, seed: primitives.sha256(new TextEncoder().encode(issuer)), issuer }),
    random: browserRandom,
  }))
  contracts.loggerContract('the console of a page', () => {
    const lines: { level: string; event: string; fields: core.LogFields | undefined }[] = []
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      vi.spyOn(globalThis.console, level).mockImplementation((event: string, fields?: core.LogFields) => {
        lines.push({ level, event: event.replace(/^[^:]*: /, ''), fields })
      })
    return { logger: consoleLogger('debug'), lines: () => lines }
  })
}

/**
 * What stands in for ports that no page has: the mesh, the local network, a relay's mail. Primitives have a page of their own, with the
 * encryption; the erasure code has no adapter but that of Node.js.
 */
function standInContracts(): void {
  contracts.linkContract('a pipe in a page', async () => {
    const clock = new VirtualClock()
    const [a, b] = memoryLink()
    return { a, b, clock, pass: (ms) => clock.advance(ms), end: async () => a.close() }
  })
  contracts.bundleArchiveContract('the memory of a page', async () => {
    const archive = new MemoryArchive()
    return { archive, reopen: async () => archive, end: async () => undefined }
  })
  contracts.mailboxStoreContract('the memory of a page', async () => {
    const store = new MemoryMailboxStore()
    return { store, reopen: async () => store, [Symbol.asyncDispose]: async () => undefined }
  })
  contracts.discoveryContract('the memory of a page', async () => {
    const lan = new MemoryLan()
    const until = async (holds: () => boolean): Promise<void> => {
      if (!holds()) lan.beat()
      if (!holds()) throw new Error('not heard')
    }
    return { a: lan.join('10.0.0.1'), b: lan.join('10.0.0.2'), until, pass: async () => lan.beat(), end: async () => undefined }
  })
}

const openStore = (name: string, worker = new Worker('/store-worker.js', { type: 'module' })) =>
  openPageStore({ name, worker, passphrase: async () => undefined })

/** A worker of the store, in a browser that refuses it the origin's files. */
function withoutFiles(): Worker {
  const refuse = "StorageManager.prototype.getDirectory = () => Promise.reject(new Error('refused'))"
  const script = `import '${globalThis.location.origin}/store-worker.js'\n${refuse}`
  return new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), { type: 'module' })
}

function storageContracts(): void {
  contracts.storeContract('a page', async () => {
    count += 1
    const name = `contract-${count}`
    let current = await openStore(name)
    return {
      get store() {
        return current.store
      },
      reopen: async () => {
        await current.close()
        current = await openStore(name)
        return current.store
      },
      [Symbol.asyncDispose]: () => current.close(),
    }
  })

  it('[BN7] a browser that does not give the files of a database for once is given no empty one in their place', async () => {
    if (!globalThis.isSecureContext) return
    const first = await openStore('withheld')
    await first.store.commit([{ kind: 'setting.put', key: 'who', value: 'Ana' }])
    await first.close()
    await expect(openStore('withheld', withoutFiles())).rejects.toThrow('does not give the files')
    const again = await openStore('withheld')
    expect(await again.store.setting('who')).toBe('Ana')
    await again.close()
  })

  it('[BN6] an image belongs to the page that opened it last: one that was frozen meanwhile can keep nothing any more', async () => {
    if (globalThis.isSecureContext) return
    const write = (value: string): core.StoreWrite[] => [{ kind: 'setting.put', key: 'who', value }]
    const frozen = await openStore('fenced')
    await frozen.store.commit(write('frozen'))
    const next = await openStore('fenced')
    await next.store.commit(write('next'))
    await expect(frozen.store.commit(write('late'))).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await next.close()
    const last = await openStore('fenced')
    expect(await last.store.setting('who')).toBe('next')
    await last.close()
  })
}

function fileContracts(): void {
  contracts.filePlatformContract('a page', async () => {
    count += 1
    const name = `files-${count}`
    const make = (): BrowserFiles => new BrowserFiles({ name, startWorker: () => new Worker('/file-worker.js', { type: 'module' }) })
    const running = [make()]
    return {
      platform: running[0] as BrowserFiles,
      folder: 'in',
      put: async (path, bytes) => {
        const file = new File([bytes as Uint8Array<ArrayBuffer>], path)
        await putChosen(name, path, [{ path: [path], file }])
        return path
      },
      get: async (path) => {
        const [file] = await openReceived(name, `in/${path}`)
        return file?.content === undefined ? undefined : new Uint8Array(await file.content.arrayBuffer())
      },
      restart: async () => {
        running[0]?.stop()
        const next = make()
        running.push(next)
        return next
      },
      end: async () => {
        for (const each of running) each.stop()
      },
    }
  })
}

function tidyContract(): void {
  it('[FI40] what no transfer leads to goes when it is a day old, and what is received goes with its transfer', async () => {
    const name = 'tidied'
    const files = new BrowserFiles({ name, startWorker: () => new Worker('/file-worker.js', { type: 'module' }) })
    const stream = { key: new Uint8Array(32), prefix: new Uint8Array(7) }
    const receive = async (id: string): Promise<string> => {
      await putChosen(name, id, [{ path: [id], file: new File(['hello'], id) }])
      const { place, ...found } = await files.describe([id])
      const manifest = { ...found, chunkSize: 262_144, key: stream.key, root: undefined }
      const [source, sink] = [
        await files.openSource(place, manifest),
        await files.openSink({ id, manifest, list: undefined, folder: 'in' }),
      ]
      await sink.write(0, stream, await source.seal('content', 0, stream))
      await sink.finish()
      const path = await sink.commit()
      await sink.close()
      await files.forget({ id })
      return path
    }
    const [known, lost] = [await receive('known'), await receive('lost')]
    const isThere = async (path: string): Promise<boolean> => (await openReceived(name, path)).length > 0
    const kept = { ids: [], places: ['["known"]'], paths: [known], ended: [] }
    const tidied = async (now: number): Promise<boolean[]> => {
      await tidyPage({ name, records: fileRecords(name), now }, kept)
      return [await isThere(known), await isThere(lost)]
    }
    expect(await tidied(Date.now())).toEqual([true, true])
    expect(await tidied(Date.now() + 90_000_000)).toEqual([true, false])
    await expect(files.describe(['known'])).resolves.toMatchObject({ size: 5 })
    await expect(files.describe(['lost'])).rejects.toMatchObject({ code: 'FILE_UNREADABLE' })
    await files.removeReceived(known)
    expect(await isThere(known)).toBe(false)
    files.stop()
  })
}

const judge = {
  verify: (key: Uint8Array, record: Uint8Array) => core.verifyRecord(primitives, key, record),
  isNewer: (a: Uint8Array, b: Uint8Array) => core.isNewerRecord(primitives, a, b),
}

/** A card belongs to whoever left it first, and all tests have one relay. */
const OWNERS = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const

async function joinedSwarm(privateKeySeed: Uint8Array) {
  const options = { relays: [RELAY], clock: systemClock, random: browserRandom, logger: consoleLogger('error'), judge }
  const swarm = createSwarm({ ...options, privateKeySeed })
  await swarm.start()
  await vi.waitFor(() => expect(swarm.relays()[0]?.reserved).toBe(true), { timeout: 30_000 })
  return swarm
}

async function pairOfSwarms(seeds: readonly [Uint8Array, Uint8Array]) {
  const [a, b] = (await Promise.all(seeds.map(joinedSwarm))) as [Libp2pSwarm, Libp2pSwarm]
  return { a, b, end: async () => void (await Promise.all([a.stop(), b.stop()])) }
}

function networkContracts(): void {
  contracts.swarmContract('a page', () => pairOfSwarms([browserRandom.bytes(32), browserRandom.bytes(32)]))

  contracts.directoryContract('a page', async () => {
    const identity = await core.loadIdentity({ store: new MemoryStore(), clock: systemClock, random: browserRandom, primitives })
    const key = core.accountDigest(identity.account)
    const [older, newer] = [1, 2].map((issuedAt) =>
      core.encodeSigned(identity.signRecord({ relays: [], issuedAt, bundle: bundleFor(identity) })),
    ) as [Uint8Array, Uint8Array]
    return { ...(await pairOfSwarms(OWNERS)), relayUrl: RELAY, record: { key, older, newer } }
  })
}
