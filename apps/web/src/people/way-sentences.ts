/** What a client says of a way, in English, by what it has in it; what is not here is of the technical kind, as programs say it. */
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
  [/^(tried not long ago|tried often enough|too many punches|a punch is under way|the other side has no place)/, 'later'],
  [/^carried by/, 'carried'],
] as const

/** The name of the same sentence among the strings; `undefined` without one. */
export function sentenceOf(detail: string): (typeof SENTENCES)[number][1] | undefined {
  return SENTENCES.find(([pattern]) => pattern.test(detail))?.[1]
}
