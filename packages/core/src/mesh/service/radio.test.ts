import { describe, expect, it } from 'vitest'
import { MeshLab } from '../../testing/mesh-lab.ts'

describe('nodes that have nothing but slow radio with losses', () => {
  it('[ME16] [ME33] deliver messages over a hop, carry them, and hand over what is large', async () => {
    const lab = new MeshLab()
    for (const name of ['ana', 'mule', 'bo']) await lab.start(name)
    lab.connectByRadio('ana', 'mule')
    lab.connectByRadio('mule', 'bo')
    await lab.run(2_000)
    lab.send('ana', 'bo', 'over two hops')
    await lab.run(3_000)
    expect(lab.node('ana').proven).toEqual(['over two hops'])
    lab.cut('mule', 'bo')
    await lab.run(500)
    lab.sendChunk('ana', 'bo', 'a slice', 60_000)
    await lab.run(30_000)
    expect(lab.node('mule').service.status().bundles).toHaveLength(1)
    lab.connectByRadio('mule', 'bo')
    await lab.run(30_000)
    expect(lab.received('bo')).toEqual(['over two hops', 'a slice'])
    expect(['ana', 'mule', 'bo'].flatMap((name) => lab.node(name).offences)).toEqual([])
  })
})
