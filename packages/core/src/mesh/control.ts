/** Splits what a node has to say into control frames that keep the limits. */
import {
  encodeMeshControl,
  MAX_ADDRESSES_IN_FRAME,
  MAX_CURES_IN_FRAME,
  MAX_KEYS_IN_FRAME,
  MAX_PARTIALS_IN_FRAME,
  MAX_PROSPECTS_IN_FRAME,
  type MeshControlFields,
} from '../wire/mesh.ts'

const SILENCE: MeshControlFields = {
  addresses: [],
  gained: [],
  lost: [],
  offered: [],
  cures: [],
  prospects: [],
  partials: [],
  sketch: undefined,
  more: 0,
  wanted: [],
  experience: [],
  about: 0,
  listed: 0,
  sum: 0,
}

/** The frames that say all of `said`, none when there is nothing to say. */
export function controlFrames(said: Partial<MeshControlFields>): Uint8Array[] {
  const whole = { ...SILENCE, ...said }
  const count = Math.max(
    whole.sketch !== undefined || whole.more + whole.about + whole.sum > 0 ? 1 : 0,
    Math.ceil(whole.addresses.length / MAX_ADDRESSES_IN_FRAME),
    Math.ceil(whole.gained.length / MAX_KEYS_IN_FRAME),
    Math.ceil(whole.lost.length / MAX_KEYS_IN_FRAME),
    Math.ceil(whole.offered.length / MAX_KEYS_IN_FRAME),
    Math.ceil(whole.wanted.length / MAX_KEYS_IN_FRAME),
    Math.ceil(whole.cures.length / MAX_CURES_IN_FRAME),
    Math.ceil(whole.prospects.length / MAX_PROSPECTS_IN_FRAME),
    Math.ceil(whole.partials.length / MAX_PARTIALS_IN_FRAME),
  )
  return Array.from({ length: count }, (_, at) => encodeMeshControl(part(whole, at)))
}

function part(whole: MeshControlFields, at: number): MeshControlFields {
  return {
    ...whole,
    addresses: slice(whole.addresses, at, MAX_ADDRESSES_IN_FRAME),
    gained: slice(whole.gained, at, MAX_KEYS_IN_FRAME),
    lost: slice(whole.lost, at, MAX_KEYS_IN_FRAME),
    offered: slice(whole.offered, at, MAX_KEYS_IN_FRAME),
    wanted: slice(whole.wanted, at, MAX_KEYS_IN_FRAME),
    sketch: at === 0 ? whole.sketch : undefined,
    more: at === 0 ? whole.more : 0,
    experience: at === 0 ? whole.experience : [],
    cures: slice(whole.cures, at, MAX_CURES_IN_FRAME),
    prospects: slice(whole.prospects, at, MAX_PROSPECTS_IN_FRAME),
    partials: slice(whole.partials, at, MAX_PARTIALS_IN_FRAME),
  }
}

function slice<T>(list: readonly T[], at: number, most: number): readonly T[] {
  return list.slice(at * most, (at + 1) * most)
}
