import { describe, expect, it } from 'vitest'
import { chooseLanguage, LANGUAGES } from './languages.ts'
import { FILE_STRINGS } from './file-strings.ts'
import { RARE_STRINGS } from './rare-strings.ts'

type Entry = readonly [path: string, value: unknown]

function entries(value: object, path = ''): readonly Entry[] {
  return Object.entries(value).flatMap(([key, each]): readonly Entry[] =>
    typeof each === 'object' && each !== null ? entries(each as object, `${path}${key}.`) : [[`${path}${key}`, each]],
  )
}

const kinds = (value: object) => entries(value).map(([path, each]) => `${path}: ${typeof each}`)

describe('strings', () => {
  const all = async () => [
    await Promise.all(Object.values(LANGUAGES).map(({ load }) => load())),
    Object.values(FILE_STRINGS),
    Object.values(RARE_STRINGS),
  ]

  it('every language has the same keys, as texts or as functions', async () => {
    for (const [english, ...others] of await all()) for (const other of others) expect(kinds(other)).toEqual(kinds(english ?? {}))
  })

  it('no text is empty, and every function uses what it is given', async () => {
    const isPoor = ([, value]: Entry): boolean =>
      typeof value === 'function' ? !String(value('given', 'given')).includes('given') : String(value).trim() === ''
    for (const strings of (await all()).flat()) expect(entries(strings).filter(isPoor)).toEqual([])
  })

  it('what any act may be refused with, wherever the client runs, has a sentence', async () => {
    const anywhere = [
      'DATA_DIR_READ_ONLY',
      'DEVICE_REVOKED',
      'DISK_FULL',
      'MESSAGE_UNKNOWN',
      'STORE_CLOSED',
      'STORE_CORRUPT',
      'STORE_LOCKED',
    ]
    for (const { load } of Object.values(LANGUAGES)) expect(Object.keys((await load()).errors)).toEqual(expect.arrayContaining(anywhere))
  })

  it('takes the first language that it has', () => {
    expect(chooseLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de')
    expect(chooseLanguage(['fr'])).toBe('en')
    expect(chooseLanguage(['toString'])).toBe('en')
  })
})
