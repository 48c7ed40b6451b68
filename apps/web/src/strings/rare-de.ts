import type { RareStrings } from './rare-en.ts'

export const rareDe: RareStrings = {
  deletion: {
    open: 'Diese Unterhaltung löschen',
    text: (name) =>
      `Alle Nachrichten mit ${name} werden auf diesem Gerät und auf deinen anderen gelöscht. Was noch nicht gesendet ist, wird nicht mehr gesendet. Empfangene Dateien bleiben, wo sie sind; ${name} bleibt dein Kontakt und behält alles.`,
    confirm: 'Löschen',
  },
}
