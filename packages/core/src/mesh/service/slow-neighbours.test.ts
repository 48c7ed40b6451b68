import { sha256 } from '@noble/hashes/sha2.js'
import { describe, expect, it } from 'vitest'
import { bundle, control, pair, primitives, transfer } from '../../testing/mesh-frames.ts'
import { cureKeyOf, type Intruder, MeshLab, tagOf } from '../../testing/mesh-lab.ts'
import { encodeBundle, type OfferFields } from '../../wire/mesh-bundle.ts'
import { bundleHeader, meshAddress } from '../bundle.ts'

const HOUR_MS = 3_600_000

/** An offer of something large for bo. */
function offer(now: number): OfferFields {
  const cureLock = sha256(cureKeyOf('large')).slice(0, 16)
  const head = { kind: 'chunk', deliveryTag: tagOf('bo'), expiryHour: Math.ceil(now / HOUR_MS) + 5, priority: 0, cureLock } as const
  const bytes = encodeBundle({ ...head, sealed: new Uint8Array(100_000) })
  return { id: bundleHeader(bytes, primitives).id, bytes: bytes.length, head, hops: 1, hopLimit: 9, copies: 1 }
}

const outcomes = ({ heard }: Intruder): string[] => heard.flatMap((frame) => (frame.kind === 'answer' ? [frame.outcome] : []))

describe('neighbours that keep others waiting', () => {
  it('[ME36] who offers and never gives is given up after some seconds, and somebody else may give', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const [liar, friend] = [lab.intrude('liar', 'bo'), lab.intrude('friend', 'bo')]
    const large = offer(lab.clock.now())
    liar.say({ kind: 'offer', offer: large })
    await lab.run(100)
    friend.say({ kind: 'offer', offer: large })
    await lab.run(4_000)
    liar.say({ kind: 'alive' })
    await lab.run(5_000)
    friend.say({ kind: 'offer', offer: large })
    await lab.run(100)
    expect(outcomes(friend)).toEqual(['busy', 'welcome'])
    expect(outcomes(liar)).toEqual(['welcome', 'no-room'])
    expect(lab.node('bo').offences).toEqual([{ peer: 'liar', code: 'TIMED_OUT' }])
  })

  it('[ME36] offering again, or a byte now and then, makes nobody wait longer; who was given up comes behind others', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const [liar, dripper] = [lab.intrude('liar', 'bo'), lab.intrude('dripper', 'bo')]
    const [one, two] = [offer(lab.clock.now()), { ...offer(lab.clock.now()), id: 'ab'.repeat(32) }]
    dripper.say({ kind: 'offer', offer: two })
    for (let second = 0; second < 12; second += 1) {
      liar.say({ kind: 'offer', offer: one })
      dripper.say({ kind: 'part', part: { key: two.id.slice(0, 16), offset: second, part: new Uint8Array(1) } })
      await lab.run(1_000)
    }
    const friends = [one, two].map((offered, at) => {
      const friend = lab.intrude(`friend ${at}`, 'bo')
      friend.say({ kind: 'offer', offer: offered })
      return friend
    })
    await lab.run(100)
    expect(friends.map(outcomes)).toEqual([['welcome'], ['welcome']])
    expect(outcomes(dripper)).toEqual(['welcome', 'no-room'])
    expect(outcomes(liar).slice(0, 4)).toEqual(['welcome', 'no-room', 'busy', 'busy'])
    const offences = lab.node('bo').offences.map(({ peer, code }) => `${peer} ${code}`)
    expect([...new Set(offences)].toSorted()).toEqual(['dripper TIMED_OUT', 'liar BAD_FRAME', 'liar TIMED_OUT'])
  })

  it('[ME41] who makes others wait in vain again and again is turned away for a time, with a new link too', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    lab.sendChunk('ana', 'bo', 'one', 1_000)
    await lab.run(500)
    const meet = async (): Promise<Intruder> => {
      const thief = lab.intrude('thief', 'ana')
      thief.say(control({ addresses: [7, meshAddress(tagOf('bo'), primitives)] }))
      await lab.run(1_000)
      thief.say({ kind: 'alive' })
      await lab.run(10_000)
      return thief
    }
    const gets = ({ heard }: Intruder): boolean => heard.some(({ kind }) => kind === 'transfer')
    const times: boolean[] = []
    for (let time = 0; time < 9; time += 1) times.push(gets(await meet()))
    expect(times).toEqual([...Array(5).fill(true), ...Array(4).fill(false)])
    expect(lab.node('ana').offences).toEqual(Array(5).fill({ peer: 'thief', code: 'TIMED_OUT' }))
  })

  it('[ME36] an offer whose id only begins like another one holds up nobody', async () => {
    const lab = new MeshLab()
    await lab.start('bo')
    const [liar, friend] = [lab.intrude('liar', 'bo'), lab.intrude('friend', 'bo')]
    const large = offer(lab.clock.now())
    liar.say({ kind: 'offer', offer: { ...large, id: large.id.slice(0, 16).padEnd(64, '0') } })
    await lab.run(100)
    friend.say({ kind: 'offer', offer: large })
    await lab.run(100)
    expect(outcomes(friend)).toEqual(['welcome'])
  })

  it('[ME36] who takes and never answers keeps nothing else from the recipient, and is shed', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'bo']) await lab.start(name)
    for (const text of ['one', 'two']) lab.sendChunk('ana', 'bo', text, 1_000)
    await lab.run(500)
    const thief = lab.intrude('thief', 'ana')
    thief.say(control({ addresses: [7, meshAddress(tagOf('bo'), primitives)] }))
    await lab.run(1_000)
    expect(thief.heard.filter(({ kind }) => kind === 'transfer')).toHaveLength(1)
    lab.connect('ana', 'bo')
    await lab.run(1_000)
    expect(lab.received('bo')).toHaveLength(1)
    thief.say({ kind: 'alive' })
    await lab.run(10_000)
    expect(thief.isShed).toBe(true)
    expect(lab.node('ana').offences).toEqual([{ peer: 'thief', code: 'TIMED_OUT' }])
    expect(lab.received('bo').toSorted()).toEqual(['one', 'two'])
  })

  it('[ME36] who is gone in the middle of taking something is not blamed', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    lab.sendChunk('ana', 'bo', 'one', 1_000)
    const friend = lab.intrude('friend', 'ana')
    friend.say(control({ addresses: [7, meshAddress(tagOf('bo'), primitives)] }))
    await lab.run(12_000)
    expect(friend.heard.filter(({ kind }) => kind === 'transfer')).toHaveLength(1)
    expect([friend.isShed, lab.node('ana').offences]).toEqual([true, []])
  })

  it('[ME20] what cannot be opened now stays with who has brought it, and may come again', async () => {
    const lab = await pair()
    const friend = lab.intrude('friend', 'bo')
    const { bytes } = bundle('bo', { now: lab.clock.now(), text: 'full' })
    lab.unopened.add('full')
    friend.say(transfer(bytes))
    await lab.run(500)
    lab.unopened.clear()
    friend.say(transfer(bytes))
    await lab.run(500)
    expect(outcomes(friend)).toEqual(['no-room', 'taken'])
    expect(lab.received('bo')).toEqual(['full'])
  })
})
