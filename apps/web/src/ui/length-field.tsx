/** A length of time: one of a few that are usual, or any other. */
import { useState } from 'react'
import { useDuration } from '../chats/message-body.tsx'
import { Button } from './button.tsx'
import { LENGTH_UNITS, type LengthUnit, readLength } from './duration.ts'
import { SelectField, TextField } from './field.tsx'
import { useRareStrings } from './use-rare-strings.ts'

export interface LengthFieldProps {
  readonly label: string
  readonly hint?: string
  /** Those that are offered, ms. */
  readonly usual: readonly number[]
  /** ms; `null` for none. */
  readonly value: number | null
  /** What none is called; left out where there must be one. */
  readonly none?: string
  readonly disabled?: boolean
  onChange(ms: number | null): void
}

const OTHER = 'other'

export function LengthField({ label, hint, usual, value, none, disabled, onChange }: LengthFieldProps) {
  const { lengths } = useRareStrings()
  const duration = useDuration()
  const [isOther, setOther] = useState(false)
  const choices = value === null || usual.includes(value) ? usual : [value, ...usual]
  const choose = (chosen: string): void => {
    setOther(chosen === OTHER)
    if (chosen !== OTHER) onChange(chosen === '' ? null : Number(chosen))
  }
  const setLength = (ms: number): void => {
    setOther(false)
    onChange(ms)
  }
  return (
    <div className="grid grid-cols-1 gap-2">
      <SelectField
        label={label}
        {...(hint === undefined ? {} : { hint })}
        disabled={disabled}
        value={isOther ? OTHER : String(value ?? '')}
        onChange={(event) => choose(event.target.value)}
      >
        {none === undefined ? null : <option value="">{none}</option>}
        {choices.map((each) => (
          <option key={each} value={each}>
            {duration(each)}
          </option>
        ))}
        <option value={OTHER}>{lengths.other}</option>
      </SelectField>
      {isOther ? <OtherLength onSet={setLength} /> : null}
    </div>
  )
}

/** No form: it may stand in one. */
function OtherLength({ onSet }: { onSet(ms: number): void }) {
  const { lengths } = useRareStrings()
  const [count, setCount] = useState('')
  const [unit, setUnit] = useState<LengthUnit>('hours')
  const ms = readLength(count, unit)
  const units = Object.keys(LENGTH_UNITS) as LengthUnit[]
  return (
    <div className="flex flex-wrap items-end gap-2">
      <div className="w-24">
        <TextField
          label={lengths.count}
          inputMode="decimal"
          maxLength={10}
          value={count}
          onChange={(event) => setCount(event.target.value)}
        />
      </div>
      <div className="min-w-28 flex-1">
        <SelectField label={lengths.unit} value={unit} onChange={(event) => setUnit(event.target.value as LengthUnit)}>
          {units.map((each) => (
            <option key={each} value={each}>
              {lengths.units[each]}
            </option>
          ))}
        </SelectField>
      </div>
      <Button disabled={ms === undefined} onClick={() => (ms === undefined ? undefined : onSet(ms))}>
        {lengths.set}
      </Button>
    </div>
  )
}
