import { describe, expect, it } from 'vitest'
import { pair, primitives } from '../../testing/mesh-frames.ts'
import { type Intruder, tagOf } from '../../testing/mesh-lab.ts'
import { decodeMeshControl } from '../../wire/mesh.ts'
import { meshAddress } from '../bundle.ts'

const said = ({ heard }: Intruder) => heard.flatMap((frame) => (frame.kind === 'control' ? [decodeMeshControl(frame.frame)] : []))

describe('what a node is called', () => {
  it('[ME42] is made up anew for each link, and nobody is told of it by others', async () => {
    const lab = await pair()
    const [one, other] = [lab.intrude('one', 'ana'), lab.intrude('other', 'ana')]
    await lab.run(500)
    const [first, second] = [one, other].map((each) => said(each).flatMap(({ addresses }) => addresses))
    const [ana, bo] = ['ana', 'bo'].map((name) => meshAddress(tagOf(name), primitives))
    expect([first?.slice(1), second?.slice(1)]).toEqual([[ana], [ana]])
    expect(first?.[0]).not.toBe(second?.[0])
    expect(said(other).flatMap(({ prospects }) => prospects.map(({ address }) => address))).toEqual([bo])
  })
})
