import type { RareStrings } from './rare-en.ts'

export const rareDe: RareStrings = {
  deletion: {
    open: 'Diese Unterhaltung löschen',
    text: (name) =>
      `Alle Nachrichten mit ${name} werden auf diesem Gerät und auf deinen anderen gelöscht. Was noch nicht gesendet ist, wird nicht mehr gesendet. Empfangene Dateien bleiben, wo sie sind; ${name} bleibt dein Kontakt und behält alles.`,
    confirm: 'Löschen',
  },
  proofs: {
    title: 'Zustellnachweise',
    reveals:
      'Wer einen Nachweis hat, kann jedem zeigen, was geschrieben wurde, an wen, und wann es angekommen ist. Ihr beide könnt das mit dem, was ihr geschrieben habt, sobald beide es erlauben.',
    allow: 'Zustellnachweise mit diesem Kontakt erlauben',
    allowAll: 'Zustellnachweise mit allen erlauben, für die nichts anderes gilt',
    theyAllow: 'Dein Kontakt erlaubt sie auch.',
    theyDoNot: 'Dein Kontakt erlaubt sie nicht, also gibt es keine.',
    save: 'Zustellnachweis speichern',
    check: 'Nachweis prüfen',
    checkText: 'Wird auf diesem Gerät geprüft, ohne Netz: wer unterschrieben hat, dass eine Nachricht ankam, und wann.',
    valid: 'Dieser Nachweis ist echt.',
    from: 'Von Konto',
    to: 'An Konto',
    message: 'Nachricht',
    came: (when) => `Angekommen ${when}`,
    read: (when) => `Gelesen ${when}`,
    stored: (mailbox, when) => `Eine Nachricht wurde bei ${mailbox} hinterlegt: ${when}`,
    problems: {
      PROOFS_OFF: 'Niemand hat unterschrieben, dass diese Nachricht ankam: Einer von euch erlaubt es nicht, oder tat es damals nicht.',
      PROOF_INVALID: 'Das ist kein Zustellnachweis, oder etwas darin hat nicht unterschrieben, wer da steht. Verlass dich nicht darauf.',
    },
  },
}
