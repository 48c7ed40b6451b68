import { describe, expect, it } from 'vitest'
import { bundle, control, pair, primitives, transfer } from '../../testing/mesh-frames.ts'
import { encodeTransfer } from '../../wire/mesh-bundle.ts'
import { MemoryArchive, MeshLab, tagOf } from '../../testing/mesh-lab.ts'
import { type BundleKey, meshAddress } from '../bundle.ts'
import { AGAIN_AFTER_MS, Refusals } from './refusals.ts'

describe('what is not taken, or cannot be handed over', () => {
  it('[ME3] a bundle without hops left goes to its recipient, and holds up nothing behind it', async () => {
    const lab = await pair()
    lab.cut('ana', 'bo')
    const mallory = lab.intrude('mallory', 'ana')
    const now = lab.clock.now()
    // Parts of files, for which nobody looks for a route beside.
    mallory.say(transfer(bundle('bo', { now, text: 'last hop', chunk: 0, size: 1_000 }).bytes, { hopLimit: 0 }))
    mallory.say(transfer(bundle('bo', { now, text: 'another', chunk: 0, size: 2_000 }).bytes))
    await lab.run(500)
    lab.connect('ana', 'bo')
    await lab.run(2_000)
    expect(lab.received('bo')).toHaveLength(2)
  })

  it('[ME20] what cannot be read keeps nothing else from the neighbour', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    for (const name of ['bo', 'ana']) await lab.start(name, name === 'ana' ? archive : undefined)
    for (const text of ['torn', 'sound']) {
      lab.sendChunk('ana', 'bo', text, 1_000)
      await lab.run(200)
    }
    const [torn] = archive.held.keys()
    const bytes = archive.bytes.bind(archive)
    let errors = 1
    archive.bytes = (key) => (key === torn && errors-- > 0 ? Promise.reject(new Error('i/o error')) : bytes(key))
    lab.connect('ana', 'bo')
    await lab.run(20_000)
    expect(lab.received('bo').toSorted()).toEqual(['sound', 'torn'])
  })

  it('[ME20] a full disk is told as no room: nobody is blamed, no link ends, and what is brought later is taken', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    for (const name of ['ana', 'mule']) await lab.start(name, name === 'mule' ? archive : undefined)
    const put = archive.put.bind(archive)
    archive.put = () => Promise.reject(new Error('disk full'))
    lab.connect('ana', 'mule')
    lab.send('ana', 'bo', 'patience')
    await lab.run(20_000)
    expect(lab.node('ana').service.hasNeighbour('mule')).toBe(true)
    expect([...lab.node('ana').offences, ...lab.node('mule').offences]).toEqual([])
    archive.put = put
    await lab.run(30_000)
    expect(archive.held.size).toBe(1)
    expect(lab.node('ana').taken).toEqual(['patience'])
  })

  it('[ME20] a second carrier brings again what did not get in when the first one brought it', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    for (const name of ['ana', 'bo', 'mule']) await lab.start(name, name === 'mule' ? archive : undefined)
    const { bytes } = bundle('cy', { now: lab.clock.now(), chunk: 0, size: 1_000 })
    for (const name of ['ana', 'bo']) lab.intrude('maker', name).say(transfer(bytes))
    const [put, full] = [archive.put.bind(archive), Promise.withResolvers<void>()]
    archive.put = () => full.promise
    await lab.run(500)
    for (const name of ['ana', 'bo']) lab.connect(name, 'mule')
    await lab.run(2_000)
    full.reject(new Error('disk full'))
    await lab.run(100)
    lab.cut('ana', 'mule')
    archive.put = put
    await lab.run(30_000)
    expect(archive.held.size).toBe(1)
  })

  it('[ME20] a second carrier hands over what could not be opened when the first one brought it', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'bo', 'cy']) await lab.start(name)
    const { bytes } = bundle('cy', { now: lab.clock.now(), text: 'patience' })
    for (const name of ['ana', 'bo']) lab.intrude('maker', name).say(transfer(bytes))
    lab.unopened.add('patience')
    const { promise, resolve } = Promise.withResolvers<void>()
    lab.opening = promise
    await lab.run(500)
    for (const name of ['ana', 'bo']) lab.connect(name, 'cy')
    await lab.run(2_000)
    resolve()
    await lab.run(100)
    lab.cut('ana', 'cy')
    lab.unopened.clear()
    await lab.run(30_000)
    expect(lab.received('cy')).toEqual(['patience'])
    expect(lab.node('cy').offences).toEqual([])
  })

  it('[ME20] whoever says twice what is being opened is told that it is known', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    const { promise, resolve } = Promise.withResolvers<void>()
    lab.opening = promise
    const said = transfer(bundle('ana', { now: lab.clock.now(), text: 'twice' }).bytes)
    const [cy, dee] = ['cy', 'dee'].map((name) => lab.intrude(name, 'ana'))
    for (const each of [cy, cy, dee]) {
      each?.say(said)
      await lab.run(100)
    }
    resolve()
    await lab.run(100)
    const answers = [cy, dee].map((each) => each?.heard.flatMap((frame) => (frame.kind === 'answer' ? [frame.outcome] : [])))
    expect(answers).toEqual([['known', 'taken'], ['busy']])
  })

  it('[ME20] [ME25] what came in a file for this node and cannot be opened yet is no lack of room', async () => {
    const lab = new MeshLab()
    const { service } = await lab.start('ana')
    lab.unopened.add('early')
    const made = bundle('ana', { now: lab.clock.now(), text: 'early' }).bytes
    const file = [encodeTransfer({ bundle: made, hops: 1, hopLimit: 9, copies: 1 })]
    expect(await service.packing.unpack(file)).toMatchObject({ unopened: 1, 'no-room': 0, taken: 0 })
    lab.unopened.clear()
    expect(await service.packing.unpack(file)).toMatchObject({ unopened: 0, taken: 1 })
  })

  it('[ME20] who refuses and comes again is not brought the same anew', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    lab.sendChunk('ana', 'bo', 'unwanted', 1_000)
    await lab.run(500)
    let brought = 0
    for (let link = 0; link < 6; link += 1) {
      const mallory = lab.intrude('mallory', 'ana', { answers: 'no-room' })
      mallory.say(control({ addresses: [7, meshAddress(tagOf('bo'), primitives)] }))
      await lab.run(40_000)
      mallory.leave()
      await lab.run(1_000)
      brought += mallory.heard.filter(({ kind }) => kind === 'transfer').length
    }
    expect(brought).toBe(3)
  })

  it('[ME20] who had no room three times is asked again a quarter of an hour later; what came too late does not come again', () => {
    const refusals = new Refusals()
    const [full, late] = ['full', 'late'] as unknown as [BundleKey, BundleKey]
    for (let now = 0; now < 3; now += 1) {
      expect(refusals.isTired(full, now)).toBe(false)
      refusals.add(full, { isFinal: false, now })
      refusals.add(late, { isFinal: true, now })
    }
    expect([full, late].map((key) => refusals.isTired(key, AGAIN_AFTER_MS))).toEqual([true, true])
    expect([full, late].map((key) => refusals.isTired(key, AGAIN_AFTER_MS + 2))).toEqual([false, true])
  })
})
