/** Small pictures of images: made before sending, judged before showing (FI36). Loaded when there is an image. */
import { MAX_THUMBNAIL_BYTES } from '@skein/node/browser/files'
import type { JPG } from 'image-size/types/jpg'

/** Larger images are not opened for it, in bytes. */
const MAX_OPENED_BYTES = 50_000_000
/** Longest side and quality, tried in turn until it is small enough. */
const TRIES = [
  [192, 0.6],
  [160, 0.5],
  [128, 0.4],
  [96, 0.4],
  [64, 0.3],
] as const
/** Longest side of what is shown, pixels. */
const MAX_SIDE = 256
const TYPE = 'image/jpeg'
/** What is drawn as a picture; anything else is sent without one. */
const DRAWN = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']

/** @returns JPEG of at most MAX_THUMBNAIL_BYTES; nothing of what is no image that this browser draws */
export async function makeThumbnail(file: File): Promise<Uint8Array | undefined> {
  if (!DRAWN.includes(file.type) || file.size > MAX_OPENED_BYTES) return undefined
  const image = await createImageBitmap(file).catch(() => undefined)
  if (image === undefined) return undefined
  try {
    for (const [side, quality] of TRIES) {
      const made = await drawn(image, side, quality)
      if (made !== null && made.type === TYPE && made.size <= MAX_THUMBNAIL_BYTES) return new Uint8Array(await made.arrayBuffer())
    }
    return undefined
  } finally {
    image.close()
  }
}

function drawn(image: ImageBitmap, side: number, quality: number): Promise<Blob | null> {
  const scale = Math.min(1, side / Math.max(image.width, image.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(image.width * scale))
  canvas.height = Math.max(1, Math.round(image.height * scale))
  const context = canvas.getContext('2d')
  if (context === null) return Promise.resolve(null)
  // JPEG knows nothing transparent.
  context.fillStyle = 'white'
  context.fillRect(0, 0, canvas.width, canvas.height)
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  return new Promise((resolve) => canvas.toBlob(resolve, TYPE, quality))
}

/** Of all formats that are read, those that browsers show without running anything in them. */
async function formats(): Promise<readonly Pick<typeof JPG, 'validate' | 'calculate'>[]> {
  const modules = await Promise.all([
    import('image-size/types/png'),
    import('image-size/types/jpg'),
    import('image-size/types/gif'),
    import('image-size/types/webp'),
    import('image-size/types/heif'),
  ])
  const [{ PNG }, { JPG: jpeg }, { GIF }, { WEBP }, { HEIF }] = modules
  return [PNG, jpeg, GIF, WEBP, HEIF]
}

/** Pixels of a picture that is drawn by itself: few bytes may unpack to more than a page has memory for. */
const MAX_PIXELS = 40_000_000

/** An image that somebody else has sent, if it says of itself that it is not too large to be drawn. */
export async function judgedImage(content: Blob): Promise<Blob | undefined> {
  const bytes = new Uint8Array(await content.arrayBuffer())
  try {
    const format = (await formats()).find((each) => each.validate(bytes))
    const { width, height } = format?.calculate(bytes) ?? { width: 0, height: 0 }
    return width > 0 && height > 0 && width * height <= MAX_PIXELS ? content : undefined
  } catch {
    return undefined
  }
}

/** A thumbnail that somebody else has made, if it is a JPEG of a size that is worth drawing. */
export async function judgedThumbnail(bytes: Uint8Array): Promise<Blob | undefined> {
  // Of all formats it reads, this one alone.
  const { JPG } = await import('image-size/types/jpg')
  try {
    if (bytes.length > MAX_THUMBNAIL_BYTES || !JPG.validate(bytes)) return undefined
    const { width, height } = JPG.calculate(bytes)
    const fits = isSide(width) && isSide(height)
    // Whatever else it may be, it is drawn as this and runs nothing.
    return fits ? new Blob([bytes.slice()], { type: TYPE }) : undefined
  } catch {
    return undefined
  }
}

const isSide = (pixels: number): boolean => pixels >= 1 && pixels <= MAX_SIDE
