import { Camera, Image as ImageIcon } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Button, buttonClass } from '../ui/button.tsx'
import { Note } from '../ui/note.tsx'
import { readQrCode } from './qr-code.ts'
import { useRareStrings } from '../ui/use-rare-strings.ts'

/** Between two looks at the camera's picture, ms. */
const LOOK_EVERY_MS = 250

export interface QrScannerProps {
  onFound(text: string): void
}

/** Finds a QR code through the camera or in an image. */
export function QrScanner({ onFound }: QrScannerProps) {
  const { adding } = useRareStrings()
  const [isLooking, setLooking] = useState(false)
  const [problem, setProblem] = useState<string>()
  const hasCamera = (navigator as Partial<Navigator>).mediaDevices !== undefined
  const open = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    setProblem(undefined)
    const image = await createImageBitmap(file).catch(() => undefined)
    const text = image === undefined ? undefined : await readQrCode(image)
    if (text === undefined) setProblem(adding.noCode)
    else onFound(text)
  }
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap gap-2">
        {hasCamera ? (
          <Button onClick={() => setLooking(!isLooking)}>
            <Camera aria-hidden="true" size={18} />
            {isLooking ? adding.stop : adding.scan}
          </Button>
        ) : null}
        <label className={`${buttonClass()} focus-within:outline-2 focus-within:outline-accent`}>
          <ImageIcon aria-hidden="true" size={18} />
          {adding.image}
          <input type="file" accept="image/*" className="sr-only" onChange={(event) => void open(event.target.files?.[0])} />
        </label>
      </div>
      {isLooking ? (
        <CameraView
          onFound={(text) => {
            setLooking(false)
            onFound(text)
          }}
          onFailure={() => {
            setLooking(false)
            setProblem(adding.noCamera)
          }}
        />
      ) : null}
      {problem === undefined ? null : <Note look="danger">{problem}</Note>}
    </div>
  )
}

function CameraView({ onFound, onFailure }: QrScannerProps & { onFailure(): void }) {
  const { adding } = useRareStrings()
  const video = useRef<HTMLVideoElement>(null)
  const told = useRef({ onFound, onFailure })
  told.current = { onFound, onFailure }
  useEffect(() => {
    const stopped = new AbortController()
    const { signal } = stopped
    if (video.current !== null)
      watch(video.current, signal).then(
        (text) => (text === undefined || signal.aborted ? undefined : told.current.onFound(text)),
        () => (signal.aborted ? undefined : told.current.onFailure()),
      )
    return () => stopped.abort()
  }, [])
  return <video ref={video} muted playsInline aria-label={adding.camera} className="max-h-80 w-full rounded-lg bg-black" />
}

/** Looks until it finds a code or is stopped; then the camera is off. */
async function watch(video: HTMLVideoElement, signal: AbortSignal): Promise<string | undefined> {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  try {
    video.srcObject = stream
    await video.play()
    while (!signal.aborted) {
      const image = await createImageBitmap(video).catch(() => undefined)
      const text = image === undefined ? undefined : await readQrCode(image)
      image?.close()
      if (text !== undefined) return text
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    return undefined
  } finally {
    for (const track of stream.getTracks()) track.stop()
  }
}
