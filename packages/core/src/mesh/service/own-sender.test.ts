import { describe, expect, it } from 'vitest'
import { decodeRouteFrame, encodeRouteFrame } from '../../wire/mesh-route.ts'
import { cureKeyOf, MemoryArchive, MeshLab } from '../../testing/mesh-lab.ts'

describe('bundles made here', () => {
  it('[ME20] whoever made what nobody has received learns it, also when it goes in its last minute', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule']) await lab.start(name)
    lab.connect('ana', 'mule')
    lab.send('ana', 'bo', 'too late')
    await lab.run(20_000)
    expect(lab.node('ana').taken).toEqual(['too late'])
    const { expiresAt = 0 } = lab.node('ana').service.status().bundles[0] ?? {}
    // What has expired is looked for after a minute: then 50 seconds before the end.
    lab.clock.jump(expiresAt - lab.clock.now() - 90_000)
    await lab.run(42_000)
    expect(lab.node('ana').service.status().bundles).toEqual([])
    lab.intrude('another', 'ana')
    await lab.run(20_000)
    expect(lab.node('ana').expired).toEqual(['too late'])
  })

  it('[ME20] [ME21] what is no longer in the archive is told to its maker, once, and may be sent again', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    const ana = await lab.start('ana', archive)
    lab.send('ana', 'bo', 'gone')
    await lab.run(1_000)
    expect(ana.service.status().bundles).toHaveLength(1)
    archive.held.clear()
    await lab.start('bo')
    lab.connect('ana', 'bo')
    await lab.run(10_000)
    expect(ana.expired).toEqual(['gone'])
    lab.send('ana', 'bo', 'gone')
    await lab.run(5_000)
    expect(lab.received('bo')).toEqual(['gone'])
  })

  it('[ME20] what could not be stored stays here and is tried again', async () => {
    const lab = new MeshLab()
    const archive = new MemoryArchive()
    const ana = await lab.start('ana', archive)
    await lab.start('mule')
    lab.connect('ana', 'mule')
    await lab.run(500)
    let isFull = true
    const put = archive.put.bind(archive)
    archive.put = (...bundle) => (isFull ? Promise.reject(new Error('disk full')) : put(...bundle))
    lab.send('ana', 'bo', 'patience')
    await lab.run(10_000)
    expect(archive.held.size).toBe(0)
    isFull = false
    await lab.run(30_000)
    expect(ana.taken).toEqual(['patience'])
    expect(lab.node('mule').archive.held.size).toBe(1)
  })

  it('[ME20] one read that fails, or a code that does not load, costs the next try and no more', async () => {
    const lab = new MeshLab({ code: () => Promise.reject(new Error('no such module')) })
    const archive = new MemoryArchive()
    for (const name of ['bo', 'mule']) await lab.start(name)
    const ana = await lab.start('ana', archive)
    lab.send('ana', 'bo', 'read later')
    await lab.run(1_000)
    const bytes = archive.bytes.bind(archive)
    archive.bytes = () => Promise.reject(new Error('i/o error'))
    lab.connect('ana', 'mule')
    lab.connect('mule', 'bo')
    await lab.run(10_000)
    expect(lab.received('bo')).toEqual([])
    archive.bytes = bytes
    await lab.run(30_000)
    expect(lab.received('bo')).toEqual(['read later'])
    // There is a way now: what is large would go in pieces.
    lab.send('ana', 'bo', 'large', 4_000)
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['read later', 'large'])
    expect(ana.proven).toEqual(['read later', 'large'])
  })

  it('[ME20] what has found nobody is named to whoever comes, and floods nowhere else', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'cy', 'dan', 'bo']) await lab.start(name)
    lab.connect('ana', 'mule')
    lab.connect('dan', 'bo')
    lab.send('ana', 'bo', 'wanted', 1_500)
    // Looked for after 5, 10, 20, 40 and 80 seconds, and then not before two minutes have passed.
    await lab.run(200_000)
    const toMule = (): number =>
      lab
        .node('ana')
        .service.status()
        .neighbours.find(({ peer }) => peer === 'mule')?.bytesOut ?? 0
    const before = toMule()
    lab.connect('ana', 'cy')
    await lab.run(10_000)
    expect(toMule() - before).toBeLessThan(1_000)
    lab.connect('ana', 'dan')
    await lab.run(1_000)
    expect(lab.received('bo')).toEqual(['wanted'])
    expect(lab.node('ana').proven).toEqual(['wanted'])
  })

  it('[ME20] what has found nobody floods once each time it is tried again, whole also to who has it', async () => {
    const lab = new MeshLab()
    await lab.start('ana')
    const eve = lab.intrude('eve', 'ana', { answers: 'no-room' })
    lab.send('ana', 'bo', 'wanted')
    let floods = 0
    for (let seconds = 0; seconds < 60; seconds += 1) {
      await lab.run(1_000)
      for (const frame of eve.heard.splice(0)) {
        const passing = frame.kind === 'route' ? decodeRouteFrame(frame.frame) : undefined
        if (passing?.kind !== 'forward') continue
        floods += 1
        eve.say({ kind: 'route', frame: encodeRouteFrame({ kind: 'notice', key: passing.key, says: 'surplus' }) })
      }
    }
    // Four times at first, then after 5, 10, 20 and 40 seconds.
    expect(floods).toBeGreaterThanOrEqual(6)
    expect(floods).toBeLessThanOrEqual(8)
  })

  it('[ME25] a page of what is carried begins behind the one before, although that has gone meanwhile', async () => {
    const lab = new MeshLab()
    const ana = await lab.start('ana')
    for (let number = 0; number < 40; number += 1) {
      lab.send('ana', 'bo', `${number}`)
      await lab.run(50)
    }
    const { transfers, next } = await ana.service.packing.pack()
    expect(transfers).toHaveLength(32)
    ana.service.withdraw(cureKeyOf('31'))
    expect((await ana.service.packing.pack(next)).transfers).toHaveLength(8)
  })
})
