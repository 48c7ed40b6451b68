// One trace, one policy, one document.
import { ADVERSARIES } from './adversaries.mjs'
import { Replay } from './replay.mjs'
import { readTrace } from './trace.mjs'

export async function simulate({ trace, policy, copies, seed, adversary, share }) {
  if (trace === undefined) throw new Error('sim mesh needs --trace DIR')
  if (adversary !== undefined && !(adversary in ADVERSARIES))
    throw new Error(`no adversary «${adversary}»; there are ${Object.keys(ADVERSARIES).join(', ')}`)
  const began = performance.now()
  const replay = new Replay(readTrace(trace), {
    policy,
    seed: Number(seed),
    ...(copies === undefined ? {} : { copies: Number(copies) }),
    ...(adversary === undefined ? {} : { adversary, share: Number(share) }),
  })
  const tally = replay.run()
  return {
    ...tally.figures(),
    bytes_on_air: replay.radio.bytesOnAir,
    control_bytes: replay.radio.controlBytes,
    wall_s: Number(((performance.now() - began) / 1_000).toFixed(2)),
  }
}
