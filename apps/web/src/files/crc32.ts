/** CRC-32 as ZIP has it: of each byte, what its eight bits make of the lowest byte. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = (value & 1) === 1 ? (value >>> 1) ^ 0xedb8_8320 : value >>> 1
  return value
})

/** Read piece by piece: it may be larger than memory. */
export async function crc32(content: Blob): Promise<number> {
  let value = 0xffff_ffff
  const reader = content.stream().getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) value = after(value, read.value)
  return ~value >>> 0
}

/** By index: a loop over the bytes themselves takes many times as long. */
function after(before: number, bytes: Uint8Array): number {
  let value = before
  for (let at = 0; at < bytes.length; at += 1) value = (value >>> 8) ^ (TABLE[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return value
}
