import { describe, expect, it } from 'vitest'
import { decodeCarryFile, encodeCarryFile, encodeTransfer } from '../../wire/mesh-bundle.ts'
import { bundle, control, transfer } from '../../testing/mesh-frames.ts'
import { cureKeyOf, MeshLab } from '../../testing/mesh-lab.ts'

describe('the mesh at work', () => {
  it('[ME12] a message goes down a line of nine at once, and its proof comes back', async () => {
    const lab = new MeshLab()
    await lab.line(9)
    lab.send('0', '8', 'hello')
    await lab.run(300)
    expect(lab.received('8')).toEqual(['hello'])
    expect(lab.node('0').proven).toEqual(['hello'])
  })

  it('[ME12] the second message takes the route that the first one taught', async () => {
    const lab = new MeshLab()
    await lab.line(4)
    await lab.start('x')
    lab.connect('1', 'x')
    lab.send('0', '3', 'first')
    await lab.run(1_000)
    const before = lab.node('x').service.status().neighbours[0]?.bytesIn
    lab.send('0', '3', 'second')
    await lab.run(1_000)
    expect(lab.received('3')).toEqual(['first', 'second'])
    expect(lab.node('x').service.status().neighbours[0]?.bytesIn).toBe(before)
  })

  it('[ME24] what is large comes to everybody once when it looks for its way, and not over every link', async () => {
    const lab = new MeshLab()
    const names = ['ana', 'bo', 'cy', 'dan', 'eve']
    for (const name of names) await lab.start(name)
    for (const [at, name] of names.entries()) for (const other of names.slice(at + 1)) lab.connect(name, other)
    await lab.run(500)
    const spent = (): number =>
      names.flatMap((name) => lab.node(name).service.status().neighbours).reduce((sum, { bytesOut }) => sum + bytesOut, 0)
    const before = spent()
    lab.send('ana', 'eve', 'large', 50_000)
    await lab.run(1_000)
    expect([lab.received('eve'), lab.node('ana').proven]).toEqual([['large'], ['large']])
    expect(spent() - before).toBeLessThan(4.5 * 50_000)
  })

  it('[ME20] what finds no way is carried until there is one, over who knows neither end, and the copies are cured', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
    lab.connect('ana', 'mule')
    await lab.run(500)
    lab.send('ana', 'bo', 'by hand')
    await lab.run(20_000)
    expect(lab.node('ana').taken).toEqual(['by hand'])
    lab.cut('ana', 'mule')
    lab.connect('mule', 'bo')
    await lab.run(2_000)
    expect(lab.received('bo')).toEqual(['by hand'])
    lab.connect('ana', 'mule')
    await lab.run(2_000)
    expect(lab.node('ana').proven).toEqual(['by hand'])
    await lab.run(2_000)
    for (const name of ['ana', 'mule', 'bo']) expect([...lab.node(name).archive.held]).toEqual([])
  })

  it('[ME20] what is carried outlives a restart, at the sender and at the carrier', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
    lab.send('ana', 'bo', 'patience')
    await lab.run(1_000)
    const [ana, mule] = [lab.node('ana'), lab.node('mule')]
    ana.service.stop()
    await lab.start('ana', ana.archive)
    lab.connect('ana', 'mule')
    await lab.run(20_000)
    mule.service.stop()
    lab.node('ana').service.stop()
    await lab.start('mule', mule.archive)
    lab.connect('mule', 'bo')
    await lab.run(2_000)
    expect(lab.received('bo')).toEqual(['patience'])
  })

  it('[ME20] a healed partition delivers what waited, within seconds, along the whole line', async () => {
    const lab = new MeshLab()
    await lab.line(8)
    lab.cut('3', '4')
    await lab.run(1_000)
    for (let number = 0; number < 10; number += 1) lab.send('0', '7', `waiting ${number}`)
    await lab.run(60_000)
    expect(lab.received('7')).toEqual([])
    lab.connect('3', '4')
    await lab.run(15_000)
    expect(new Set(lab.received('7')).size).toBe(10)
  })

  it('[ME25] what is carried goes by hand in a file, to who carries it on and to whom it is for', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
    for (let number = 0; number < 40; number += 1) lab.send('ana', 'bo', `by stick ${number}`)
    await lab.run(1_000)
    const pages: Uint8Array[] = []
    for (let after: string | undefined, more = true; more; ) {
      const { transfers, next } = await lab.node('ana').service.packing.pack(after)
      pages.push(...transfers)
      after = next
      more = next !== undefined
    }
    const file = encodeCarryFile(pages)
    const onward = decodeCarryFile(file)
    expect(await lab.node('mule').service.packing.unpack(onward)).toMatchObject({ taken: 40, refused: 0 })
    expect(await lab.node('mule').service.packing.unpack([...onward.slice(0, 3), new Uint8Array(9)])).toMatchObject({
      known: 3,
      refused: 1,
    })
    expect(await lab.node('bo').service.packing.unpack(onward.slice(0, 10))).toMatchObject({ taken: 10 })
    lab.connect('mule', 'bo')
    await lab.run(10_000)
    expect(new Set(lab.received('bo')).size).toBe(40)
    expect(lab.received('bo')).toHaveLength(40)
    lab.connect('bo', 'ana')
    await lab.run(5_000)
    expect(lab.node('ana').proven).toHaveLength(40)
    expect(() => decodeCarryFile(Uint8Array.of(8, 9))).toThrow(expect.objectContaining({ code: 'BAD_FRAME' }))
  })

  it('[ME25] a file takes all the room there is, and pushes nothing out', async () => {
    const lab = new MeshLab({ capacityBytes: 100_000 })
    for (const name of ['ana', 'bo']) await lab.start(name)
    lab.send('bo', 'cy', 'ours', 10_000)
    await lab.run(1_000)
    const now = lab.clock.now()
    const transfers = Array.from({ length: 12 }, (_, at) => bundle('cy', { now, text: `${at}`.padEnd(at), size: 9_000 }).bytes)
    const counts = await lab
      .node('bo')
      .service.packing.unpack(transfers.map((bytes) => encodeTransfer({ bundle: bytes, hops: 1, hopLimit: 9, copies: 1 })))
    expect(counts).toMatchObject({ taken: 9, 'no-room': 3 })
    expect(
      lab
        .node('bo')
        .service.status()
        .bundles.some(({ isOwn }) => isOwn),
    ).toBe(true)
  })

  it('[ME6] a proof that comes while a bundle is being written leaves nothing of it behind', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'bo']) await lab.start(name)
    const { archive, service } = lab.node('bo')
    const put = archive.put.bind(archive)
    const made = bundle('cy', { now: lab.clock.now() })
    const mallory = lab.intrude('mallory', 'bo')
    const proof = { key: cureKeyOf('x'), expiryHour: Math.ceil(lab.clock.now() / 3_600_000) + 5 }
    archive.put = async (...args) => {
      await put(...args)
      mallory.say(control({ cures: [proof] }))
      await lab.clock.sleep(100)
    }
    mallory.say(transfer(made.bytes))
    await lab.run(1_000)
    expect(service.status().bundles).toEqual([])
    expect([...archive.held]).toEqual([])
  })

  it('[ME26] neighbours give signs of life, and one that gives none is in doubt after ten seconds', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'bo']) await lab.start(name)
    lab.connect('ana', 'bo')
    const mute = lab.intrude('mute', 'ana')
    await lab.run(9_900)
    expect(lab.node('ana').service.silent()).toEqual([])
    await lab.run(3_000)
    expect(lab.node('ana').service.silent()).toEqual(['mute'])
    expect(mute.heard.filter(({ kind }) => kind === 'alive').length).toBeGreaterThanOrEqual(2)
  })
})
