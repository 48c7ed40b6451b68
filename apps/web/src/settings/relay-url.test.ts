import { expect, it } from 'vitest'
import { faultOf } from './relay-url.ts'

it('[UI28] a relay that the browser would not let the page reach is refused with a reason of its own', () => {
  const urls = [
    'relay.example',
    'ftp://relay.example',
    'http://192.0.2.7:8080',
    'http://localhost:8080',
    'http://[::1]:1',
    'https://relay.example',
  ]
  const mixed = 'RELAY_MIXED'
  expect(urls.map((url) => faultOf(url, 'https:'))).toEqual(['RELAY_URL', 'RELAY_URL', mixed, undefined, undefined, undefined])
  expect(urls.map((url) => faultOf(url, 'http:'))).toEqual(['RELAY_URL', 'RELAY_URL', undefined, undefined, undefined, undefined])
})
