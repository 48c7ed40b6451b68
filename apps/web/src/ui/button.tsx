import type { ButtonHTMLAttributes } from 'react'

const BASE = 'inline-flex min-h-11 items-center justify-center gap-2 rounded-lg px-4 font-medium disabled:opacity-60 cursor-pointer'
const LOOKS = {
  main: 'bg-accent text-on-accent',
  plain: 'border border-line bg-surface text-ink hover:bg-page',
  danger: 'border border-line bg-surface text-danger hover:bg-page',
  bare: 'text-ink hover:bg-page px-2',
} as const

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: keyof typeof LOOKS
}

export const buttonClass = (look: keyof typeof LOOKS = 'plain'): string => `${BASE} ${LOOKS[look]}`

export function Button({ look = 'plain', className = '', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={`${buttonClass(look)} ${className}`} {...rest} />
}
