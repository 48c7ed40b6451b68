import { expect, it } from 'vitest'
import { whoKnows } from './delivery-commands.ts'

it('what is known of no single device is put down to another own device only while that is one', () => {
  const device = '12D3KooW'
  expect(whoKnows({ sent_by: { device, name: 'phone', here: false } })).toBe('Your device phone has sent it, and knows more.')
  expect(whoKnows({ sent_by: { device, name: '', here: false } })).toBe('Your device 12D3KooW has sent it, and knows more.')
  expect(whoKnows({ sent_by: { device, name: null, here: false } })).toContain('yours no more')
  expect(whoKnows({ sent_by: { device, name: 'this', here: true } })).toBe('Of single devices nothing is known.')
  expect(whoKnows({ sent_by: null })).toBe('Of single devices nothing is known.')
})
