import { useEffect, useState } from 'react'
import { useLook } from '../client/context.tsx'
import { isImage } from '../client/own-data.ts'
import { BeginAnew } from '../shell/begin-anew.tsx'
import { Button } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { Section } from '../ui/page.tsx'
import { useRareStrings } from '../ui/use-rare-strings.ts'

interface Storage {
  readonly used: number
  readonly most: number
  readonly isPersistent: boolean
}

const MEGABYTE = 1_000_000

/** Absent on an origin that is not secure. */
const manager = (): StorageManager | undefined => (navigator as Partial<Navigator>).storage

async function look(): Promise<Storage | undefined> {
  const storage = manager()
  if (storage === undefined) return undefined
  const [{ usage = 0, quota = 0 }, isPersistent] = await Promise.all([storage.estimate(), storage.persisted()])
  return { used: usage, most: quota, isPersistent }
}

export function StorageSection({ hosted }: { readonly hosted: boolean }) {
  const { settings, trouble } = useRareStrings()
  if (hosted)
    return (
      <Section title={settings.storage}>
        <p>{settings.hosted}</p>
      </Section>
    )
  return (
    <Section title={settings.storage}>
      <Kept />
      <div>
        <BeginAnew label={trouble.anew} />
      </div>
    </Section>
  )
}

/** A private window that refuses files has a manager of them all the same. */
function Kept() {
  const { settings } = useRareStrings()
  const [inImage, setInImage] = useState<boolean>()
  useEffect(() => void isImage().then(setInImage, () => setInImage(false)), [])
  if (inImage === undefined) return null
  return inImage || manager() === undefined ? <p>{settings.memory}</p> : <OwnStorage />
}

function OwnStorage() {
  const { language } = useLook()
  const { settings } = useRareStrings()
  const [storage, setStorage] = useState<Storage>()
  const [isRefused, setRefused] = useState(false)
  useEffect(() => void look().then(setStorage, () => undefined), [])
  const ask = async (): Promise<void> => {
    setRefused(!(await manager()?.persist()))
    setStorage(await look())
  }
  if (storage === undefined) return null
  const size = new Intl.NumberFormat(language, { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 })
  return (
    <>
      <p>{settings.used(size.format(storage.used / MEGABYTE), size.format(storage.most / MEGABYTE))}</p>
      <p className="text-quiet">{storage.isPersistent ? settings.persistent : settings.evictable}</p>
      {isRefused ? <Note look="warn">{settings.refused}</Note> : null}
      {storage.isPersistent ? null : <Button onClick={() => void ask()}>{settings.persist}</Button>}
    </>
  )
}
