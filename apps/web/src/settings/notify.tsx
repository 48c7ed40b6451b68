/** Whether new messages are announced while nobody looks. */
import { useState } from 'react'
import { useModel } from '../client/context.tsx'
import { keep, KEYS } from '../client/kept.ts'
import { callUser, canNotify, isWanted } from '../shell/notifications.ts'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { Toggle } from '../ui/toggle.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

/** Nothing where the page may not, or where Electron does it itself. */
export function NotifySection() {
  const { settings } = useRareStrings()
  const model = useModel()
  const [isOn, setOn] = useState(isWanted)
  const [isRefused, setRefused] = useState(false)
  if (!canNotify() || navigator.userAgent.includes('Electron')) return null
  const change = async (wanted: boolean): Promise<void> => {
    const isGranted = wanted && (await Notification.requestPermission()) === 'granted'
    setRefused(wanted && !isGranted)
    keep(KEYS.notify, isGranted ? 'yes' : 'no')
    setOn(isGranted)
    if (isGranted) callUser(model)
  }
  return (
    <Section title={settings.notifications}>
      <p className="text-quiet">{settings.notifyText}</p>
      <Toggle label={settings.notify} checked={isOn} onChange={(wanted) => void change(wanted)} />
      {isRefused ? <Note look="warn">{settings.notifyRefused}</Note> : null}
    </Section>
  )
}
