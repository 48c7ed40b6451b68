import { expect, it } from 'vitest'
import { rareDe } from '../strings/rare-de.ts'
import { rareEn } from '../strings/rare-en.ts'
import { sentenceOf } from './way-sentences.ts'

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
  ['it broke off', 'broken'],
  ['3 tried; begun anew', 'broken'],
  ['the other side has no place for it now', 'later'],
  ['1 tried; nobody answered in time', 'late'],
  ['the ports of the other side would have to be guessed', 'guessed'],
  ['no hole was found', 'closed'],
  ['tried not long ago', 'later'],
  ['too many punches over UDP at once', 'later'],
] as const)('[PT2] the window says %j in its own words', (detail, name) => {
  expect(sentenceOf(detail)).toBe(name)
  expect(rareDe.doctor.ways[name]).not.toBe(rareEn.doctor.ways[name])
})

it('[PT2] the window leaves what is of the technical kind as it is', () => {
  expect(sentenceOf('1 tried; ECONNREFUSED')).toBeUndefined()
})
