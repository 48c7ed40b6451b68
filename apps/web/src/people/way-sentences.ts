import type { DoctorStrings } from '../strings/doctor-en.ts'

/** What a client says of a way, in English, by what it has in it. */
const SENTENCES = [
  [/^not tried: the other side/, 'unreached'],
  [/^not tried from here/, 'opened'],
  [/^in use, through a port/, 'mapped'],
  [/^no address of this kind/, 'address'],
  [/^the other side tries/, 'theirs'],
  [/^the other side tried it in vain/, 'inVain'],
  [/^the other side begins/, 'begins'],
  [/^a page cannot punch/, 'page'],
  [/^the other side is a page/, 'pageThere'],
  [/UDP does not get through at the other side/, 'udpThere'],
  [/UDP does not get through/, 'udp'],
  [/^no relay in common/, 'relays'],
  [/(it broke off|begun anew|given it up|machine has moved)$/, 'broken'],
  [/another was faster$/, 'overtaken'],
  [/nobody answered in time$/, 'late'],
  [/^the ports of the other side would have to be guessed/, 'guessed'],
  [/^no hole was found/, 'closed'],
  [/^both are behind one router/, 'oneRouter'],
  [/^(tried not long ago|tried often enough|too many punches|a punch is under way|the other side has no place)/, 'later'],
  [/^carried by/, 'carried'],
  [/ECONNREFUSED|refused/i, 'refused'],
  [/E(HOST|NET)UNREACH|EADDRNOTAVAIL/, 'noRoute'],
  [/ETIMEDOUT|timed? ?out/i, 'late'],
  [/ECONNRESET|EPIPE|(was|been|is) (closed|reset|aborted)|operation was aborted/i, 'broken'],
  [/reflector/, 'reflector'],
  [/^the relay has gone$/, 'relayGone'],
] as const

export interface Said {
  readonly sentence: string
  /** Of an error that has no sentence of its own: a program's own words. */
  readonly quoted?: string
}

/** The same in the language of `ways`. */
export function sayWay(ways: DoctorStrings['ways'], detail: string): Said {
  const key = SENTENCES.find(([pattern]) => pattern.test(detail))?.[1]
  if (key !== undefined) return { sentence: ways[key] }
  const [, hops, count] = /^in use, (\d+) hops; (?:(\d+) separate ways|one way)/.exec(detail) ?? []
  if (hops !== undefined) return { sentence: `${ways.hops(hops)} ${count === undefined ? ways.oneWay : ways.separate(count)}` }
  const [, mailboxes] = /^mail lies at (.+)$/.exec(detail) ?? []
  if (mailboxes !== undefined) return { sentence: ways.mail(mailboxes) }
  return { sentence: ways.technical, quoted: detail.replace(/^\d+ tried; /, '') }
}
