/** What the shell itself says; the interface has its own words. */
const en = {
  open: 'Open Skein',
  autoStart: 'Start with the system',
  quit: 'Quit',
  request: 'wants to become your contact',
  noStart: 'Skein cannot start.',
  usedLink: 'This link was used or is too old; open Skein anew.',
}
export type Words = typeof en

const de: Words = {
  open: 'Skein öffnen',
  autoStart: 'Mit dem System starten',
  quit: 'Beenden',
  request: 'möchte dein Kontakt werden',
  noStart: 'Skein kann nicht starten.',
  usedLink: 'Dieser Link wurde schon benutzt oder ist zu alt; öffne Skein neu.',
}

/** @param locale of the system, e.g. `de-AT`; or what a browser says that its user reads, the preferred language first */
export function wordsFor(locale: string): Words {
  return /^de\b/i.test(locale) ? de : en
}
