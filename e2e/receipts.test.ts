/** Delivery proofs, on real processes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { befriend, eventually, Lab, run } from './processes.ts'

it('[DP1] [DP2] [DP4] both allow proofs, one is exported, and anybody checks it without a daemon', async () => {
  await using lab = await Promise.resolve(new Lab())
  const relay = await lab.relay()
  const [ana, bo] = [await lab.client('ana', [relay.url]), await lab.client('bo', [relay.url])]
  await befriend(ana, bo)
  const send = async (text: string): Promise<string> =>
    String((await ana.run('send', 'bo', '--wait', 'delivered', '--timeout', '60s', '--', text)).json.messages[0].id)
  const file = lab.path('proof.json')
  expect((await ana.run('receipt', 'export', await send('unsigned'), '--output', file)).json).toMatchObject({
    error: { code: 'PROOFS_OFF' },
  })
  await ana.run('receipt', 'allow', 'bo')
  await bo.run('receipt', 'allow')
  await eventually(
    'both know',
    async () => (await ana.run('receipt', 'status', 'bo')).json.theirs && (await bo.run('receipt', 'status', 'ana')).json.theirs,
  )
  const id = await send('signed')
  await eventually('it is signed', async () => (await ana.run('receipt', 'export', id, '--output', file)).code === 0)
  await ana.end()
  await bo.end()
  const checked = await run(['--json', 'receipt', 'verify', file])
  expect(checked).toMatchObject({
    code: 0,
    json: { valid: true, message_id: id, text: 'signed', sender: ana.account, recipient: bo.account, receipts: [{ read: false }] },
  })
  const honest = readFileSync(file, 'utf8')
  for (const forged of [
    honest.replace('signed"', 'another"'),
    honest.slice(0, 99),
    '{}',
    honest.replace(/"signature": "./, '"signature": "_'),
  ]) {
    writeFileSync(file, forged)
    expect((await run(['--json', 'receipt', 'verify', file])).json).toMatchObject({ error: { code: 'PROOF_INVALID' } })
  }
})
