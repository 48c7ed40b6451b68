/** What the shell itself says; the interface has its own words. */
const en = {
  open: 'Open Skein',
  autoStart: 'Start with the system',
  quit: 'Quit',
  request: 'wants to become your contact',
  sharedContact: 'Contact:',
  newer: 'Something that a newer version of Skein can show.',
  noStart: 'Skein cannot start.',
  usedLink: 'This link was used or is too old; open Skein anew.',
  /** By code; where there is none, the program's own sentence, which is English, is all there is. */
  reasons: {},
}
export interface Words extends Omit<typeof en, 'reasons'> {
  readonly reasons: Readonly<Record<string, string>>
}

const de: Words = {
  open: 'Skein öffnen',
  autoStart: 'Mit dem System starten',
  quit: 'Beenden',
  request: 'möchte dein Kontakt werden',
  sharedContact: 'Kontakt:',
  newer: 'Etwas, das eine neuere Version von Skein zeigen kann.',
  noStart: 'Skein kann nicht starten.',
  usedLink: 'Dieser Link wurde schon benutzt oder ist zu alt; öffne Skein neu.',
  reasons: {
    CONFIG_INVALID: 'Eine Einstellung stimmt nicht.',
    DATA_DIR_READ_ONLY: 'In den Ordner von Skein kann nicht geschrieben werden.',
    DISK_FULL: 'Der Datenträger ist voll.',
    STORE_CORRUPT:
      'Was hier gespeichert war, fehlt oder ist beschädigt. Spiele eine Sicherung zurück oder beginne in einem anderen Ordner neu.',
    STORE_LOCKED: 'Skein läuft auf diesem Ordner schon.',
  },
}

/** @param locale of the system, e.g. `de-AT`; or what a browser says that its user reads, the preferred language first */
export function wordsFor(locale: string): Words {
  return /^de\b/i.test(locale) ? de : en
}

/** That the program cannot start, and why: in the user's language as far as there are words, and as the program says it. */
export function sayNoStart({ noStart, reasons }: Words, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined
  return `${noStart}\n\n${reason === undefined ? message : `${reason} (${message})`}`
}
