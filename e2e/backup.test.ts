import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, run } from './processes.ts'

const env = { SKEIN_BACKUP_PASSPHRASE: 'correct horse' }

it('[BK1] [BK2] [BK3] [BK5] a lost device: the backup brings account, contacts and history back, and people go on talking', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  await ana.run('send', 'bo', '--wait', 'delivered', '--', 'before the fall')
  const file = lab.path('ana.age')
  const made = await run(['--data-dir', ana.dir, '--json', 'backup', file], { env })
  expect(made.json).toEqual({ file, bytes: readFileSync(file).length, sealed: true })
  expect(readFileSync(file, 'latin1')).toMatch(/^age-encryption\.org\/v1\n/)
  expect(readFileSync(file, 'latin1')).not.toContain('before the fall')
  expect((await run(['--data-dir', ana.dir, '--json', 'restore', file], { env })).json.error.code).toBe('STORE_LOCKED')
  await ana.end('SIGKILL')
  expect((await run(['--data-dir', ana.dir, '--json', 'restore', file], { env })).json.error.code).toBe('BACKUP_REFUSED')

  const place = lab.path('ana again')
  writeFileSync(`${file}.cut`, readFileSync(file).subarray(0, -1))
  for (const [damaged, secret] of [
    [`${file}.cut`, env],
    [file, { SKEIN_BACKUP_PASSPHRASE: 'wrong horse' }],
  ] as const) {
    const refused = await run(['--data-dir', place, '--json', 'restore', damaged], { env: secret })
    expect(refused.json.error.code).toBe('BACKUP_DAMAGED')
  }
  const restored = await run(['--data-dir', place, '--json', 'restore', file], { env })
  expect(restored.json).toEqual({ account: ana.account, contacts: 1, messages: 1 })

  const again = await lab.client('ana again', [relay.url])
  expect(again.account).toBe(ana.account)
  expect((await again.history('bo')).map(({ text }) => text)).toEqual(['before the fall'])
  const sent = await again.run('send', 'bo', '--wait', 'delivered', '--timeout', '60s', '--', 'it is me')
  expect(sent.code).toBe(0)
  const back = await bo.run('send', 'ana', '--wait', 'delivered', '--timeout', '60s', '--', 'good to see you')
  expect(back.code).toBe(0)
  await eventually('both have all', async () => (await again.history('bo')).length === 3 && (await bo.history('ana')).length === 3)
})

it('[BK1] contacts and history as lines that everybody can read', async () => {
  await using lab = await Promise.resolve(new Lab())
  const ana = await lab.client('ana', [])
  const file = lab.path('plain.jsonl')
  expect((await ana.run('backup', '--plain', file)).json).toMatchObject({ sealed: false })
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { is: 'backup', version: 1, account: ana.account },
    { is: 'end', contacts: 0, messages: 0 },
  ])
})
