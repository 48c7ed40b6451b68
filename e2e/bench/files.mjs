// A file from page to page, and the same bytes over a raw data channel between the same pages: the part of `bench -- files` that
// drives browsers. Writes one JSON document.
import { join } from 'node:path'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { met } from '../browser/file-pages.ts'
import { Interface } from '../browser/interface-pages.ts'
import { randomFile } from '../transfers.ts'
import { ensureChromium } from '../../tools/system-packages.mjs'
import { median, rounded } from '../../bench/suites/e2ee-median.mjs'

const ROUNDS = 3
const BYTES = 64_000_000
const WITHIN_MS = 300_000
/** As large as every browser takes, and what is kept on its way. */
const RAW = { bytes: BYTES, message: 65_536, ahead: 4_194_304 }

/** Runs in the page that begins. @returns its description, with all candidates */
async function offerRaw() {
  const peer = new RTCPeerConnection()
  const channel = peer.createDataChannel('raw')
  channel.binaryType = 'arraybuffer'
  const gathered = new Promise((resolve) => peer.addEventListener('icecandidate', ({ candidate }) => candidate === null && resolve()))
  await peer.setLocalDescription()
  await gathered
  globalThis.raw = { peer, channel }
  return peer.localDescription.toJSON()
}

/** Runs in the other page: counts what comes and says when it is all. */
async function answerRaw([description, bytes]) {
  const peer = new RTCPeerConnection()
  peer.addEventListener('datachannel', ({ channel }) => {
    channel.binaryType = 'arraybuffer'
    let got = 0
    channel.addEventListener('message', ({ data }) => {
      got += data.byteLength
      if (got === bytes) channel.send('all')
    })
  })
  await peer.setRemoteDescription(description)
  const gathered = new Promise((resolve) => peer.addEventListener('icecandidate', ({ candidate }) => candidate === null && resolve()))
  await peer.setLocalDescription()
  await gathered
  globalThis.raw = { peer }
  return peer.localDescription.toJSON()
}

/** Runs in the page that begins. @returns milliseconds until the other side had everything */
async function sendRaw([answer, { bytes, message, ahead }]) {
  const { peer, channel } = globalThis.raw
  const opened = new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }))
  await peer.setRemoteDescription(answer)
  if (channel.readyState !== 'open') await opened
  channel.bufferedAmountLowThreshold = ahead / 2
  const whole = new Promise((resolve) => channel.addEventListener('message', resolve, { once: true }))
  const piece = crypto.getRandomValues(new Uint8Array(message))
  const began = performance.now()
  for (let left = bytes; left > 0; left -= message) {
    if (channel.bufferedAmount > ahead)
      await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }))
    channel.send(piece.subarray(0, Math.min(message, left)))
  }
  await whole
  const took = performance.now() - began
  peer.close()
  return took
}

async function raw(from, to) {
  const answer = await to.page.evaluate(answerRaw, [await from.page.evaluate(offerRaw), RAW.bytes])
  return from.page.evaluate(sendRaw, [answer, RAW])
}

/** From the yes to the whole file, seen by the page that receives. */
async function ours(from, to, path) {
  await from.choosePath(path)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const card = to.page.locator('[data-transfer]', { hasText: name })
  await card.getByRole('button', { name: 'Accept' }).waitFor()
  const began = performance.now()
  await card.getByRole('button', { name: 'Accept' }).click()
  await to.page.locator('[data-transfer-state="done"]', { hasText: name }).waitFor({ timeout: WITHIN_MS })
  const took = performance.now() - began
  await card.getByRole('button', { name: 'Remove from this browser' }).click()
  return took
}

ensureChromium()
const dir = mkdtempSync(join(tmpdir(), 'skein-bench-'))
try {
  await using world = await Interface.open()
  const [ana, bo] = await met(world)
  await bo.area('Files')
  const times = { ours: [], raw: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    const path = join(dir, `round ${round}.bin`)
    randomFile(path, BYTES)
    times.ours.push(await ours(ana, bo, path))
    times.raw.push(await raw(ana, bo))
    rmSync(path)
  }
  const speed = (all) => BYTES / 1_000 / median(all)
  const document = {
    browser_mb_per_s: rounded(speed(times.ours)),
    vs_raw_datachannel: Number((speed(times.ours) / speed(times.raw)).toFixed(2)),
    raw_datachannel_mb_per_s: rounded(speed(times.raw)),
  }
  process.stdout.write(`${JSON.stringify(document)}\n`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
