/** Points in time as people read them. */
import { useEffect, useState } from 'react'
import { useLook } from '../client/context.tsx'
import type { Language, Strings } from '../strings/languages.ts'
import { isSameDay, startOfDay, watchDays } from './days.ts'

const DAY_MS = 86_400_000

export interface Times {
  time(instant: number): string
  /** Today and yesterday by word, else the date. */
  day(instant: number): string
  whole(instant: number): string
  /** The time for today, else the day. */
  brief(instant: number): string
  /** For programs, as in ISO 8601. */
  machine(instant: number): string
}

/** The farthest that a date can be (ECMA-262, «Time Values»), milliseconds: what lies beyond is shown as the end of time. */
const END_OF_TIME = 8.64e15
const shown = (instant: number): number => (Number.isFinite(instant) ? Math.max(-END_OF_TIME, Math.min(END_OF_TIME, instant)) : 0)

/** Whoever says which days are today and yesterday is drawn anew when one ends. */
export function useToday(): void {
  const [, setDay] = useState(0)
  useEffect(() => watchDays(setDay), [])
}

/** Making formats costs more than drawing a message does; so they are made once for each language. */
const made = new Map<Language, Times>()

export function useTimes(): Times {
  const { language, strings } = useLook()
  const known = made.get(language)
  if (known !== undefined) return known
  const times = timesIn(language, strings)
  made.set(language, times)
  return times
}

/** The user's own kind of the language: what is read as English in London has other dates than in Boston. */
function localeOf(language: Language): string {
  return navigator.languages.find((each) => each.split('-')[0] === language) ?? language
}

function timesIn(language: Language, { chats }: Strings): Times {
  const locale = localeOf(language)
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' })
  const date = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' })
  const short = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
  const both = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' })
  const day = (claimed: number): string => {
    const [instant, now] = [shown(claimed), Date.now()]
    if (isSameDay(instant, now)) return chats.today
    return isSameDay(instant, startOfDay(now) - DAY_MS / 2) ? chats.yesterday : date.format(instant)
  }
  const brief = (claimed: number): string => {
    const instant = shown(claimed)
    return isSameDay(instant, Date.now()) ? clock.format(instant) : short.format(instant)
  }
  const machine = (instant: number): string => new Date(shown(instant)).toISOString()
  return { time: (instant) => clock.format(shown(instant)), day, whole: (instant) => both.format(shown(instant)), brief, machine }
}
