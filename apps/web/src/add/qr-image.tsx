import encodeQR from 'qr'
import { useMemo } from 'react'

/** Modules of white around a code, without which cameras miss it (ISO/IEC 18004: 4). */
const MARGIN = 4

/** A QR code: dark on white in every theme, because that is what cameras read. */
export function QrImage({ text, label }: { readonly text: string; readonly label: string }) {
  const { path, size } = useMemo(() => {
    const rows = encodeQR(text, 'raw', { ecc: 'medium', border: MARGIN })
    const cells = rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])))
    return { path: cells.join(''), size: rows.length }
  }, [text])
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
      className="mx-auto w-full max-w-64 rounded-lg bg-white"
    >
      <path d={path} fill="#000" />
    </svg>
  )
}
