// One trace, one policy, one document.
import { Replay } from './replay.mjs'
import { readTrace } from './trace.mjs'

export async function simulate({ trace, policy, copies, seed }) {
  if (trace === undefined) throw new Error('sim mesh needs --trace DIR')
  const began = performance.now()
  const replay = new Replay(readTrace(trace), { policy, seed: Number(seed), ...(copies === undefined ? {} : { copies: Number(copies) }) })
  const tally = replay.run()
  return {
    ...tally.figures(),
    bytes_on_air: replay.radio.bytesOnAir,
    control_bytes: replay.radio.controlBytes,
    wall_s: Number(((performance.now() - began) / 1_000).toFixed(2)),
  }
}
