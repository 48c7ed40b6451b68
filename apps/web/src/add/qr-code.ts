/** Reads QR codes with a library that is loaded for it. */

/** Most pixels on a side: a camera's picture is larger than any code needs, and decoding grows with its area. */
const MOST_PIXELS = 1_600

/** The text of the code in a picture; `undefined` when there is none. */
export async function readQrCode(image: ImageBitmap): Promise<string | undefined> {
  const { default: decode } = await import('qr/decode.js')
  const scale = Math.min(1, MOST_PIXELS / Math.max(image.width, image.height, 1))
  const [width, height] = [Math.max(1, Math.round(image.width * scale)), Math.max(1, Math.round(image.height * scale))]
  const canvas = Object.assign(document.createElement('canvas'), { width, height })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (context === null) return undefined
  context.drawImage(image, 0, 0, width, height)
  try {
    const found: unknown = decode(context.getImageData(0, 0, width, height), { timeLimit: 500 })
    return typeof found === 'string' && found !== '' ? found : undefined
  } catch {
    return undefined
  }
}
