import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ADVERSARIES } from '../../bench/sim/adversaries.mjs'
import { identityOf, START_MS } from '../../bench/sim/identities.mjs'
import { simulate } from '../../bench/sim/mesh.mjs'
import { spokenBytes } from '../../bench/sim/overheard.mjs'
import { Replay } from '../../bench/sim/replay.mjs'
import { soundContacts } from '../../bench/sim/sound-contacts.mjs'
import { soundTrace } from '../../bench/sim/sound-trace.mjs'
import { readTrace } from '../../bench/sim/trace.mjs'
import { simulate as waypoint } from '../../bench/sim/waypoint.mjs'
import { crowd, folder, holder, META, writeTrace } from '../../bench/sim/small-traces.mjs'

/** So much of no use is one waste (ME41). */
const MOST_IN_VAIN = 1_000
const run = (trace, policy = 'adaptive', more = {}) => simulate({ trace, policy, seed: '1', share: '0.3', ...more })

describe('a contact trace', () => {
  it('is replayed to the tenth of a second: a message waits for its contact and takes the time of its bytes', async () => {
    using place = folder()
    writeTrace(place.path, {
      meta: { ...META, nodes: 3 },
      contacts: [
        [10, 0, 1, 'up', 1_000],
        [20, 0, 1, 'down', 1_000],
        [30, 1, 2, 'up', 1_000],
        [40, 1, 2, 'down', 1_000],
      ],
      messages: [
        [0, 'near', 0, 1, 2_000],
        [0, 'far', 0, 2, 2_000],
      ],
    })
    expect(await run(place.path, 'direct')).toMatchObject({ delivery_ratio: 0.5, overhead_ratio: 0, hops_avg: 1 })
    const epidemic = await run(place.path, 'epidemic')
    expect(epidemic).toMatchObject({ delivery_ratio: 1, overhead_ratio: 0.5, hops_avg: 1.5 })
    expect(epidemic.latency_avg_s).toBeGreaterThan((12 + 32) / 2 - 0.1)
    expect(epidemic.latency_avg_s).toBeLessThan((12 + 32) / 2 + 0.5)
  })

  it('gives the same figures again, and those that its policies promise of each other', async () => {
    using place = folder()
    const trace = crowd(place.path)
    const { wall_s: _, ...first } = await run(trace)
    expect(await run(trace)).toMatchObject(first)
    const direct = await run(trace, 'direct')
    const epidemic = await run(trace, 'epidemic')
    expect(direct.overhead_ratio).toBe(0)
    expect(epidemic.delivery_ratio).toBeGreaterThan(direct.delivery_ratio)
    expect(first.delivery_ratio).toBeGreaterThan(direct.delivery_ratio)
    expect(first.overhead_ratio).toBeLessThan(epidemic.overhead_ratio)
  })

  it('counts what neighbours say: comparisons while a link lasts, answers, offers, and what came in vain', async () => {
    using place = folder()
    const long = (until) =>
      writeTrace(place.path, {
        meta: { ...META, nodes: 2 },
        contacts: [
          [0, 0, 1, 'up', 250_000],
          [until, 0, 1, 'down', 250_000],
        ],
        messages: [[0, 'm', 0, 1, 1_000]],
      })
    const brief = await run(long(10))
    const { control_bytes: bytes } = await run(long(10 + 3_000))
    expect(bytes - brief.control_bytes).toBeGreaterThan(150 * 60)
    const { key, id } = identityOf('m')
    const bundle = { key, id, expiresAt: START_MS, priority: 1 }
    expect(spokenBytes({ ...bundle, bytes: 1_000 }, 'welcome')).toBeLessThan(30)
    expect(spokenBytes({ ...bundle, bytes: 1_000 }, 'known')).toBeGreaterThan(1_000)
    expect(spokenBytes({ ...bundle, bytes: 100_000 }, 'known')).toBeLessThan(200)
  })

  it('may leave out what is not needed, hold comments, and say the same twice', async () => {
    using place = folder()
    writeTrace(place.path, {
      meta: {},
      contacts: [['# a remark'], [30, 1, 0, 'up', 1_000], [30, 0, 1, 'up', 1_000], [40, 0, 1, 'down', 1_000], [50, 0, 1, 'down', 1_000]],
      messages: [[1, 'm', 1, 0, 500]],
    })
    expect(await run(place.path)).toMatchObject({ delivery_ratio: 1, overhead_ratio: 0 })
  })

  it('without a duration goes on over links that stay up, while its messages live', async () => {
    using place = folder()
    const { duration_s: _, ...meta } = { ...META, nodes: 2, ttl_s: 600 }
    writeTrace(place.path, { meta, contacts: [[10, 0, 1, 'up', 100]], messages: [[0, 'slow', 0, 1, 5_000]] })
    expect(await run(place.path, 'direct')).toMatchObject({ delivery_ratio: 1 })
    writeTrace(place.path, { meta, contacts: [[10, 0, 1, 'up', 100]], messages: [[0, 'slow', 0, 1, 100_000]] })
    expect(await run(place.path, 'direct')).toMatchObject({ delivery_ratio: 0 })
  })

  it('may let contacts of one pair overlap: their link lasts until the last of them ends', async () => {
    using place = folder()
    writeTrace(place.path, {
      meta: { ...META, nodes: 2 },
      contacts: [
        [10, 0, 1, 'up', 100],
        [20, 1, 0, 'up', 100],
        [30, 0, 1, 'down', 100],
        [80, 0, 1, 'down', 100],
      ],
      messages: [
        [0, 'whole', 0, 1, 5_000],
        [81, 'late', 0, 1, 50],
      ],
    })
    expect(await run(place.path, 'direct')).toMatchObject({ delivery_ratio: 0.5 })
  })

  it('may leave out at the end of a contact how fast it was', () => {
    const rows = (list) => list.map(([tick, up, bps]) => ({ tick, a: 1, b: 0, up, bps }))
    const ends = (list, usual) => soundContacts(rows(list), usual).contacts.map(({ tick, up, bps }) => [tick, up, bps])
    const two = [
      [1, true, 70],
      [2, true, 80],
    ]
    expect(ends([...two, [3, false, undefined], [4, false, 0]], 9)).toEqual([...two, [3, false, 70], [4, false, 80]])
    expect(ends([...two, [3, false, 80], [4, false, undefined], [5, false, 70]], 9)).toEqual([...two, [3, false, 80], [4, false, 70]])
    const { linksUp } = soundContacts(rows([...two, [3, false, 80]]), 9)
    expect(linksUp).toBe(1)
  })

  it.each([
    ['a node that is none', { contacts: [[1, 0, 12, 'up', 9]] }, 'contacts, line 7: node 12'],
    ['half a node', { messages: [[1, 'm', 0.5, 1, 9]] }, 'messages, line 7: node 0.5'],
    ['a state that is none', { contacts: [[1, 0, 1, 'on', 9]] }, 'neither up nor down'],
    ['no time', { contacts: [['', 0, 1, 'up', 9]] }, 'no time'],
    ['a node that meets itself', { contacts: [[1, 1, 1, 'up', 9]] }, 'meets itself'],
    ['no bytes', { messages: [[1, 'm', 0, 1, 0]] }, 'no bytes'],
    [
      'a message twice',
      {
        messages: [
          [1, 'm', 0, 1, 9],
          [2, 'm', 0, 1, 9],
        ],
      },
      'a second message m',
    ],
    ['room that is no number', { meta: { ...META, buffer_bytes_by_node: { 3: '5MB' } } }, 'buffer_bytes_by_node={"3":"5MB"}'],
    ['nodes without number', { meta: { ...META, nodes: 'many' } }, 'nodes="many"'],
  ])('with %s is refused in one line', async (_, change, said) => {
    using place = folder()
    const trace = writeTrace(place.path, { meta: META, contacts: [[1, 0, 1, 'up', 9]], messages: [], ...change })
    const error = await run(trace).catch((reason) => reason)
    expect(error.message).toContain(said)
    expect(error.message).not.toContain('\n')
  })

  it('says how many of its links stay up for good', () => {
    const contact = (tick, up, a = 0) => ({ tick, a, b: 2, up, bps: 1_000 })
    const heard = (contacts) => {
      const said = []
      soundTrace({ meta: { ...META, nodes: 3 }, contacts, messages: [] }, 10, (text) => said.push(text))
      return said
    }
    expect(heard([contact(1, true), contact(2, false)])).toEqual([])
    expect(heard([contact(1, true), contact(2, true), contact(3, false), contact(4, true, 1)])).toEqual([expect.stringMatching(/: 2$/)])
  })

  it('whose messages would live longer than any may is replayed all the same, and says so', async () => {
    const trace = { meta: { ...META, nodes: 2, ttl_s: 40 * 86_400 }, contacts: [], messages: [] }
    const said = []
    expect(soundTrace(trace, 10, (text) => said.push(text)).meta.ttl_s).toBe(30 * 86_400)
    expect(said).toEqual([expect.stringMatching(/live for 2592000 s/)])
    using place = folder()
    writeTrace(place.path, {
      meta: { ...META, nodes: 2, duration_s: 40 * 86_400, ttl_s: 40 * 86_400 },
      contacts: [
        [10, 0, 1, 'up', 1_000],
        [20, 0, 1, 'down', 1_000],
      ],
      messages: [[0, 'slow', 0, 1, 2_000]],
    })
    expect(await run(place.path, 'direct')).toMatchObject({ delivery_ratio: 1 })
  })

  it('is replayed with as many addresses for each node as wanted, which are told and count as one device', async () => {
    using place = folder()
    const trace = crowd(place.path)
    const one = await run(trace)
    const many = await run(trace, 'adaptive', { addresses: '20' })
    expect(many.control_bytes).toBeGreaterThan(one.control_bytes * 3)
    expect(Math.abs(many.delivery_ratio - one.delivery_ratio)).toBeLessThan(0.15)
    expect((await run(trace, 'adaptive', { addresses: '0' }).catch((reason) => reason)).message).toContain('--addresses')
  })

  it('that is not there, a policy that is none, and numbers that are none are said in one line', async () => {
    using place = folder()
    const said = async (...args) => (await run(...args).catch((reason) => reason)).message
    expect(await said(place.path)).toContain('cannot be read')
    expect(await said(place.path, 'hearsay')).toContain('adaptive')
    crowd(place.path)
    expect(await said(place.path, 'adaptive', { copies: 'many' })).toContain('--copies')
    expect(await said(place.path, 'adaptive', { adversary: 'sybil', share: '3' })).toContain('--share')
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['bench/sim/run.mjs', 'mesh', '--trace', place.path, '--policy', 'hearsay'],
      { encoding: 'utf8' },
    )
    expect([stdout, stderr.trim().split('\n').length, status]).toEqual(['', 1, 2])
  })
})

describe('a trace made on the spot', () => {
  it('is one that can be replayed, the same for the same seed and another for another', async () => {
    using place = folder()
    const made = async (seed) => {
      const out = join(place.path, seed)
      const figures = await waypoint({ out, nodes: '6', seed })
      return { figures, ...readTrace(out) }
    }
    const { figures, meta, contacts, messages } = await made('1')
    expect([contacts.filter(({ up }) => up).length, messages.length]).toEqual([figures.contacts, figures.messages])
    expect(meta).toMatchObject({ nodes: 6, duration_s: 43_200, ttl_s: 18_000 })
    expect(figures.contacts).toBeGreaterThan(10)
    expect(messages.every(({ from, to }) => from !== to)).toBe(true)
    expect((await made('1')).contacts).toEqual(contacts)
    expect((await made('2')).contacts).not.toEqual(contacts)
  })
})

describe('adversaries', () => {
  it('one that gives every other bundle is not held up by those that it swallows', () => {
    const { node, store } = holder(ADVERSARIES.selective.Node, 20)
    const given = new Set()
    for (let choice = node.carriable(['l'], START_MS); choice !== undefined; choice = node.carriable(['l'], START_MS)) {
      given.add(choice.bundle.key)
      node.finished(choice)
    }
    expect([...given].every((key) => Number.parseInt(key.at(-1), 16) % 2 === 0)).toBe(true)
    expect(given.size).toBe([...store.all()].filter(({ key }) => Number.parseInt(key.at(-1), 16) % 2 === 0).length)
  })

  it('a flooder fills what stores keep for it, and not what others have brought, where stores ask who brings what', async () => {
    using place = folder()
    const trace = crowd(place.path)
    const { delivery_ratio: plain } = await run(trace, 'adaptive', { adversary: 'flooder' })
    const { delivery_ratio: guarded } = await run(trace, 'adaptive', { adversary: 'flooder', quotas: true })
    expect(guarded).toBeGreaterThan(plain)
  })

  it('one that brings what is of no use is shed by the rules of the product, and is not back at once', () => {
    using place = folder()
    const contact = { a: 0, b: 1, bps: 1_000, up: true }
    for (const quotas of [false, true]) {
      const replay = new Replay(readTrace(crowd(place.path)), { policy: 'adaptive', quotas })
      replay.change(contact)
      const link = replay.radio.find(contact)
      for (let time = 0; time < 6; time += 1) replay.useless(link, 0, MOST_IN_VAIN)
      replay.shedNow()
      expect(replay.radio.find(contact) === undefined).toBe(quotas)
      replay.change(contact)
      expect(replay.radio.find(contact) === undefined).toBe(quotas)
    }
  })

  it('take from what arrives, and not all of it', async () => {
    using place = folder()
    const trace = crowd(place.path)
    const { delivery_ratio: honest } = await run(trace)
    for (const adversary of Object.keys(ADVERSARIES)) {
      const { delivery_ratio: ratio } = await run(trace, 'adaptive', { adversary })
      expect(ratio).toBeGreaterThan(0.2)
      expect(ratio).toBeLessThanOrEqual(honest + 0.1)
    }
  })
})
