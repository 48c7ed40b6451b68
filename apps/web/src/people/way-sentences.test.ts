import { expect, it } from 'vitest'
import { rareDe } from '../strings/rare-de.ts'
import { rareEn } from '../strings/rare-en.ts'
import { sayWay } from './way-sentences.ts'

it.each([
  ['the other side begins', 'begins'],
  ['a page cannot punch', 'page'],
  ['the other side is a page, and cannot punch', 'pageThere'],
  ['the other side tried it in vain', 'inVain'],
  ['no STUN server answers: UDP does not get through', 'udp'],
  ['UDP does not get through here', 'udp'],
  ['2 tried; another was faster', 'overtaken'],
  ['another was faster', 'overtaken'],
  ['UDP does not get through at the other side', 'udpThere'],
  ['no relay in common', 'relays'],
  ['no relay in common that answers over UDP', 'relays'],
  ['it broke off', 'broken'],
  ['3 tried; begun anew', 'broken'],
  ['the other side has no place for it now', 'later'],
  ['1 tried; nobody answered in time', 'late'],
  ['the ports of the other side would have to be guessed', 'guessed'],
  ['no hole was found', 'closed'],
  ['both are behind one router that does not turn packets round', 'oneRouter'],
  ['tried not long ago', 'later'],
  ['too many punches over UDP at once', 'later'],
  ['2 tried; connect ECONNREFUSED 127.0.0.1:1', 'refused'],
  ['1 tried; connect EHOSTUNREACH 10.0.0.1:1', 'noRoute'],
  ['1 tried; connect ETIMEDOUT 10.0.0.1:1', 'late'],
  ['1 tried; read ECONNRESET', 'broken'],
  ['1 tried; The operation was aborted', 'broken'],
  ['the reflector does not answer', 'reflector'],
  ['the relay has gone', 'relayGone'],
] as const)('[PT2] the window says %j in its own words', (detail, name) => {
  expect(sayWay(rareEn.doctor.ways, detail)).toEqual({ sentence: rareEn.doctor.ways[name] })
  expect(sayWay(rareDe.doctor.ways, detail)).toEqual({ sentence: rareDe.doctor.ways[name] })
  expect(rareDe.doctor.ways[name]).not.toBe(rareEn.doctor.ways[name])
})

it.each([
  ['in use, 2 hops; one way only, so that those on it pass on whole sealed messages', ['2']],
  ['in use, 3 hops; 4 separate ways, so that large messages go in pieces while none of them loses any', ['3', '4']],
  ['mail lies at https://a.example, https://b.example', ['https://a.example, https://b.example']],
] as const)('[PT2] the window says %j in its own words, with what is in it', (detail, parts) => {
  const [german, english] = [rareDe, rareEn].map(({ doctor }) => sayWay(doctor.ways, detail))
  for (const each of parts) expect(german?.sentence).toContain(each)
  expect([german?.quoted, german?.sentence === english?.sentence]).toEqual([undefined, false])
})

it('[PT2] what has no words of the window is quoted after a sentence that says so', () => {
  const said = sayWay(rareDe.doctor.ways, '1 tried; SSL routines: wrong version number')
  expect(said).toEqual({ sentence: rareDe.doctor.ways.technical, quoted: 'SSL routines: wrong version number' })
})
