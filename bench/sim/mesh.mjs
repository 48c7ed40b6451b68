// One trace, one policy, one document.
import { POLICY_NAMES } from '@skein/core'
import { ADVERSARIES } from './adversaries.mjs'
import { numberOf } from './number-of.mjs'
import { Replay } from './replay.mjs'
import { readTrace } from './trace.mjs'

export async function simulate({ trace, policy, copies, seed, adversary, share, quotas, addresses = '1' }) {
  if (trace === undefined) throw new Error('sim mesh needs --trace DIR')
  if (adversary !== undefined && !(adversary in ADVERSARIES))
    throw new Error(`no adversary «${adversary}»; there are ${Object.keys(ADVERSARIES).join(', ')}`)
  if (!POLICY_NAMES.includes(policy)) throw new Error(`no policy «${policy}»; there are ${POLICY_NAMES.join(', ')}`)
  const began = performance.now()
  const replay = new Replay(readTrace(trace), {
    policy,
    quotas,
    seed: numberOf('--seed', seed),
    addresses: numberOf('--addresses', addresses, { least: 1, most: 1_000 }),
    ...(copies === undefined ? {} : { copies: numberOf('--copies', copies, { least: 1 }) }),
    ...(adversary === undefined ? {} : { adversary, share: numberOf('--share', share, { most: 1, isShare: true }) }),
  })
  const tally = replay.run()
  return {
    ...tally.figures(),
    bytes_on_air: replay.radio.bytesOnAir,
    control_bytes: replay.radio.controlBytes,
    wall_s: Number(((performance.now() - began) / 1_000).toFixed(2)),
  }
}
