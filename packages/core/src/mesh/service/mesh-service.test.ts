import { describe, expect, it } from 'vitest'
import { decodeCarryFile, encodeCarryFile } from '../../wire/mesh-bundle.ts'
import { MeshLab } from '../../testing/mesh-lab.ts'

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
