import { once } from 'node:events'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { inSandbox, natlab, start, whyNot } from './natlab-process.mjs'

/** One of each sort of way that is direct, with the transports that may have opened it. */
const DIRECT = {
  // Dialled.
  'pub:fw': ['tcp'],
  // Punched by TCP, also without UDP.
  'prc:fw': ['tcp', 'udp', 'webrtc'],
  'cgn:noudp': ['tcp'],
  // Punched by UDP: with 256 sockets, and by ports that follow each other.
  'prc:sym': ['udp'],
  'symseq:cgn': ['udp'],
  // In one home.
  'lan:lan': ['tcp', 'webrtc'],
}
const NO_UDP = /UDP does not get through/
/** Both would have to guess; nothing gets out but 80 and 443; UDP is dropped; packets are not turned round. With what each side says of punches over UDP. */
const RELAYED = { 'sym:cgnsym': /guessed/, 'web:cone': NO_UDP, 'noudp:sym': NO_UDP, 'nohairpin:nohairpin': /one router/ }
/** A busy machine takes its time; whoever is direct sooner does not wait. */
const PATIENCE_MS = 30_000

/** From 2 MiB on a file takes a raw connection where there is one. */
const FILE_MB = 3

const unavailable = await whyNot({ delay: 10 })

describe.skipIf(unavailable)('network laboratory', () => {
  // Two laboratories that know nothing of each other: one mostly waits.
  it.concurrent('a message is delivered in every pair, and the way is direct by what the relay counts', async () => {
    const measure = (names) =>
      natlab('--pairs', names.join(','), '--tries', '1', '--file', String(FILE_MB), '--patience', String(PATIENCE_MS))
    const { pairs: first } = await measure(Object.keys(DIRECT))
    const missed = first.filter(({ direct }) => direct === 0).map(({ a, b }) => `${a}:${b}`)
    // A NAT is guessed at and a machine may be busy: one of them may need a second try.
    expect(missed.length).toBeLessThan(2)
    const { pairs: second } = missed.length === 0 ? { pairs: [] } : await measure(missed)
    const pairs = first.map((each) => second.find(({ a, b }) => a === each.a && b === each.b) ?? each)
    expect(pairs.map(({ a, b }) => `${a}:${b}`)).toEqual(Object.keys(DIRECT))
    for (const { a, b, delivered, direct, transport, first_message_ms, direct_ms, file } of pairs) {
      expect({ a, b, file }).toMatchObject({ a, b, file: { whole: true } })
      expect({ a, b, delivered, direct }).toEqual({ a, b, delivered: 1, direct: 1 })
      expect({ a, b, is: DIRECT[`${a}:${b}`].includes(transport), transport }).toEqual({ a, b, is: true, transport })
      expect(Math.min(first_message_ms.p50, direct_ms.p50)).toBeGreaterThan(0)
    }
  })

  it.concurrent('where nothing direct can be, the relay carries the message', async () => {
    const { pairs } = await natlab(
      '--pairs',
      Object.keys(RELAYED).join(','),
      '--tries',
      '1',
      '--file',
      String(FILE_MB),
      '--patience',
      '1000',
    )
    for (const { a, b, delivered, direct, path, direct_ms, file, claimed, reasons, mistaken } of pairs) {
      expect({ a, b, claimed, mistaken }).toEqual({ a, b, claimed: { a: 'relayed', b: 'relayed' }, mistaken: 0 })
      for (const said of [reasons.a, reasons.b]) {
        expect(said.filter(isOpenOrUntrue)).toEqual([])
        expect(said.find(({ rung }) => rung === 'udp-punch')?.detail).toMatch(RELAYED[`${a}:${b}`])
      }
      expect({ a, b, delivered, direct, path, direct_ms }).toEqual({ a, b, delivered: 1, direct: 0, path: 'relayed', direct_ms: null })
      expect({ a, b, file }).toMatchObject({ a, b, file: { whole: true, path: 'relayed' } })
    }
  })

  it('[LD1] beacon and mDNS pass a cable with link-local IPv6 addresses alone', async () => {
    expect(await inSandbox('discovery-probe.mjs')).toEqual({ beacon: true, mdns: true })
  })

  it.each(['SIGKILL', 'SIGTERM'])('leaves no process and no namespace behind after %s', async (signal) => {
    const child = start('--pairs', 'cone:cone')
    const sandbox = await eventually(() => sandboxOf(child.pid))
    child.kill(signal)
    await once(child, 'exit')
    expect(await eventually(() => processes().every(({ pidSpace }) => pidSpace !== sandbox))).toBe(true)
  })

  it('says in one sentence what it does not understand', async () => {
    const { error } = await natlab('--pairs', 'pub:moon')
    expect(error).toEqual({ code: 'USAGE', message: expect.stringContaining('moon') })
  })
})

/** Of a better rung than the relay each side knows in the end that it failed, also where the other one tried; and neither is a page. */
function isOpenOrUntrue({ rung, outcome, detail }) {
  return rung !== 'relayed' && (!['failed', 'no-address'].includes(outcome) || detail.includes('page'))
}

async function eventually(find) {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(20)) {
    const found = find()
    if (found) return found
  }
  throw new Error('not in time')
}

/** Every process that can be looked at; whoever ends meanwhile is left out. */
function processes() {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return []
    try {
      const [, parent] = /^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${name}/status`, 'utf8')) ?? []
      const space = (kind) => readlinkSync(`/proc/${name}/ns/${kind}`)
      return [{ pid: Number(name), parent: Number(parent), pidSpace: space('pid'), netSpace: space('net') }]
    } catch {
      return []
    }
  })
}

/** The process-id namespace of a laboratory, once relays and clients run in several network namespaces in it. */
function sandboxOf(pid) {
  const all = processes()
  const own = all.find((each) => each.pid === process.pid)
  const children = (parents) => all.filter(({ parent }) => parents.includes(parent))
  const inner = children(children([pid]).map((each) => each.pid)).find(({ pidSpace }) => pidSpace !== own?.pidSpace)
  const members = all.filter(({ pidSpace }) => pidSpace === inner?.pidSpace)
  return inner !== undefined && new Set(members.map(({ netSpace }) => netSpace)).size > 2 ? inner.pidSpace : undefined
}
