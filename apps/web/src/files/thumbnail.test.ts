import { expect, it } from 'vitest'
import { judgedImage, judgedThumbnail } from './thumbnail.ts'

/** Beginning of a JPEG that says it is so large; drawn by nobody here. */
function jpeg(width: number, height: number, length = 300): Uint8Array {
  const jfif = [0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]
  const frame = [0xff, 0xc0, 0, 11, 8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]
  const bytes = new Uint8Array(length)
  bytes.set([...jfif, ...frame])
  return bytes
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words)
const png = Uint8Array.from(
  atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='),
  (each) => each.charCodeAt(0),
)

it('[FI36] a small JPEG is drawn, as nothing else than that', async () => {
  expect((await judgedThumbnail(jpeg(192, 108)))?.type).toBe('image/jpeg')
})

it.each([
  ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
  ['a page', text('<!doctype html><script>alert(1)</script>')],
  ['a script', text('alert(1)')],
  ['PNG', png],
  ['a picture of huge dimensions', jpeg(65_535, 65_535)],
  ['a picture that is too wide', jpeg(257, 10)],
  ['a picture without height', jpeg(10, 0)],
  ['more bytes than allowed', jpeg(10, 10, 3_073)],
  ['a picture that was cut off', jpeg(10, 10).slice(0, 22)],
  ['an end without a picture', Uint8Array.of(0xff, 0xd8, 0xff, 0xd9)],
  ['nothing', new Uint8Array()],
])('[FI36] a thumbnail that is %s is not drawn', async (_, bytes) => {
  expect(await judgedThumbnail(bytes)).toBeUndefined()
})

/** The same picture, which says that it is so large. */
function pngOf(width: number, height: number): Uint8Array<ArrayBuffer> {
  const bytes = png.slice()
  new DataView(bytes.buffer).setUint32(16, width)
  new DataView(bytes.buffer).setUint32(20, height)
  return bytes
}

it('[FI36] a whole picture is drawn by itself unless it unpacks to more than a page can bear, or says nothing of it', async () => {
  const shown = new Blob([png])
  expect(await judgedImage(shown)).toBe(shown)
  expect(await judgedImage(new Blob([jpeg(8_000, 5_000).slice()]))).toBeDefined()
  for (const bytes of [pngOf(60_000, 60_000), jpeg(65_535, 65_535).slice(), text('<svg/>').slice(), new Uint8Array()])
    expect(await judgedImage(new Blob([bytes as Uint8Array<ArrayBuffer>]))).toBeUndefined()
})
