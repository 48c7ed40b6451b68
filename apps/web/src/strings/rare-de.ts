import type { RareStrings } from './rare-en.ts'

export const rareDe: RareStrings = {
  devices: {
    title: 'Deine Geräte',
    text: 'Alle Geräte deines Kontos bekommen deine Nachrichten und schreiben in deinem Namen.',
    unnamed: 'Gerät ohne Namen',
    here: 'Dieses Gerät',
    online: 'Erreichbar',
    away: 'Nicht erreichbar',
    revoke: 'Entfernen',
    revokeSure: (name: string) => `${name} endgültig entfernen`,
    revokedHere:
      'Dieses Gerät wurde auf einem anderen aus dem Konto entfernt. Es sendet und bekommt nichts mehr; was hier ist, kannst du lesen.',
    link: 'Neues Gerät verbinden',
    linkText:
      'Wähle auf dem neuen Gerät «Als weiteres Gerät verwenden» und scanne diesen Code oder füge den Link ein. Er gilt zehn Minuten, einmal.',
    linkLabel: 'Link für das neue Gerät',
    qr: 'QR-Code des Links für das neue Gerät',
    compare: (name: string) => `«${name}» möchte zu deinem Konto gehören. Zeigt es dieselben sechs Ziffern?`,
    compareHere: 'Bestätige auf dem anderen Gerät, wenn es dieselben sechs Ziffern zeigt.',
    same: 'Dieselben: einlassen',
    differ: 'Andere',
    linked: 'Das neue Gerät ist verbunden.',
    join: 'Als weiteres Gerät verwenden',
    joinText:
      'Dein Konto ist schon auf einem anderen Gerät: Öffne dort die Einstellungen, wähle «Neues Gerät verbinden» und füge den Link hier ein. Beitreten kann nur ein Gerät ohne Kontakte.',
    joinLabel: 'Link vom anderen Gerät',
    joinNow: 'Beitreten',
    joined: 'Verbunden. Kontakte und Nachrichten folgen, solange beide Geräte erreichbar sind.',
  },
  nearby: {
    ask: 'Um Kontakt bitten',
    askAgain: 'Noch einmal bitten',
    asked: 'Gefragt; mit einem Ja seid ihr Kontakte',
    problems: {
      DEVICE_AWAY: 'Gerade nicht zu erreichen. Frag noch einmal, wenn die Person wieder zu sehen ist.',
    },
  },
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
