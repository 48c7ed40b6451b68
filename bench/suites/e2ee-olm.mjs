// Olm's WebAssembly build, the yardstick: encrypt and decrypt on an established session, one way.
import { createRequire } from 'node:module'
import { rate } from './e2ee-median.mjs'

const PLAINTEXT = 'm'.repeat(256)
/** A devDependency of core, where it also judges the ratchet. */
const require = createRequire(new URL('../../packages/core/package.json', import.meta.url))

function establishedSessions(Olm) {
  const [alice, bob] = [new Olm.Account(), new Olm.Account()]
  alice.create()
  bob.create()
  bob.generate_one_time_keys(1)
  const [oneTimeKey] = Object.values(JSON.parse(bob.one_time_keys()).curve25519)
  const [from, to] = [new Olm.Session(), new Olm.Session()]
  from.create_outbound(alice, JSON.parse(bob.identity_keys()).curve25519, oneTimeKey)
  const first = from.encrypt('first')
  to.create_inbound(bob, first.body)
  to.decrypt(first.type, first.body)
  const answer = to.encrypt('answer')
  from.decrypt(answer.type, answer.body)
  return [from, to]
}

export async function olmOneWay() {
  const Olm = require('@matrix-org/olm')
  await Olm.init()
  const [from, to] = establishedSessions(Olm)
  return (count) =>
    rate(count, () => {
      const { type, body } = from.encrypt(PLAINTEXT)
      if (to.decrypt(type, body) !== PLAINTEXT) throw new Error('a message of Olm opened as another one')
    })
}
