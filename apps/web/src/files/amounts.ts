/** Bytes as people read them. */
import { useLook } from '../client/context.tsx'

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

export function useAmount(): (bytes: number) => string {
  const { language } = useLook()
  return (bytes) => {
    const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
    const format = new Intl.NumberFormat(language, {
      style: 'unit',
      unit: UNITS[step] ?? 'byte',
      unitDisplay: step === 0 ? 'long' : 'short',
      maximumFractionDigits: step < 2 ? 0 : 1,
    })
    return format.format(bytes / 1_000 ** step)
  }
}
