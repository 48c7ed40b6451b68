// Replays a contact trace with its messages through the mesh of core, on a virtual clock. All decisions are core's; here
// are only the trace, the radios and the count.
import { Allowances, ArchivedStore, carryingPolicy, MemoryBundleStore, MeshNode } from '@skein/core'
import { seededRandom } from '@skein/core/testing'
import { addressesOf, identityOf, sha256, START_MS } from './identities.mjs'
import { ADVERSARIES } from './adversaries.mjs'
import { controlBytes, spokenBytes } from './overheard.mjs'
import { other, Radio } from './radio.mjs'
import { TICKS_PER_S } from './trace.mjs'
import { Tally } from './tally.mjs'

const TICK_MS = 1_000 / TICKS_PER_S
const EXPIRY_CHECK_TICKS = 60 * TICKS_PER_S
/** Both sides compare again what they hold (ME7). */
const COMPARE_TICKS = 15 * TICKS_PER_S
/** Where nodes have one address each, nobody boasts with so many. */
const FEW_CLAIMS = 8

export class Replay {
  dirty = new Set()
  /** Links that end before their time. */
  shed = new Set()
  ending = new Map()
  frames = []
  tick = 0

  /**
   * @param {{ adversary?: string, share?: number, quotas?: boolean, addresses?: number }} options the first `share` of all nodes, by a
   * shuffle, are adversaries; with `quotas` nodes bound what a neighbour may do as they do at work (ME5, ME19, ME20, ME41); each node
   * has `addresses`
   */
  constructor(trace, { policy, seed = 1, copies, adversary, share = 0, quotas = false, addresses = 1 }) {
    this.trace = trace
    this.random = seededRandom(seed)
    this.radio = new Radio(trace.meta.nodes)
    this.tally = new Tally()
    this.quotas = quotas
    this.addresses = Array.from({ length: trace.meta.nodes }, (_, node) => addressesOf(node, addresses))
    this.adversary = adversary === undefined ? undefined : ADVERSARIES[adversary]
    // Nobody is shuffled where nobody is hostile: the random numbers of a plain run stay as they are.
    this.hostile = new Set(share === 0 ? [] : this.shuffled([...this.addresses.keys()]).slice(0, Math.round(share * this.addresses.length)))
    const leastClaims = addresses > 1 ? undefined : FEW_CLAIMS
    this.stores = this.addresses.map((_, node) => this.newStore(node))
    this.allowances = this.addresses.map(() => new Allowances({ monotonic: () => this.now - START_MS }))
    this.nodes = this.addresses.map((own, node) => this.newNode(own, node, () => carryingPolicy(policy, { copies, leastClaims })))
  }

  newStore(node) {
    const { buffer_bytes: all, buffer_bytes_by_node: own = {} } = this.trace.meta
    const room = own[node] ?? all
    return this.quotas ? new ArchivedStore(room, () => undefined) : new MemoryBundleStore(room)
  }

  newNode(own, node, newPolicy) {
    const { Node = MeshNode, claims } = this.hostile.has(node) ? this.adversary : {}
    const everybody = claims === undefined ? [] : this.addresses.flat()
    return new Node({
      alias: () => own[0],
      addresses: new Set(claims === 'addresses' ? everybody : own),
      store: this.stores[node],
      policy: claims === 'news' ? boastful(newPolicy(), everybody) : newPolicy(),
      random: this.random,
      primitives: { sha256 },
      send: (id, frame) => this.sendControl(id, node, frame),
      useless: (id, weight) => this.useless(this.radio.links.get(id), node, weight),
    })
  }

  /** Over this link a node was brought something of no use. */
  useless(link, node, weight) {
    if (this.quotas && link !== undefined && !this.allowances[node].useless(`${other(link, node)}`, weight)) this.shed.add(link)
  }

  /** Whoever has cost more than a neighbour may is none any more. */
  shedNow() {
    for (const link of this.shed) if (this.radio.links.has(link.id)) this.end(link)
    this.shed.clear()
  }

  mayAttach({ a, b }) {
    return !this.quotas || (this.allowances[a].mayAttach(`${b}`) && this.allowances[b].mayAttach(`${a}`))
  }

  get now() {
    return START_MS + this.tick * TICK_MS
  }

  sendControl(id, from, frame) {
    const link = this.radio.links.get(id)
    if (link === undefined) return
    this.radio.control(link, controlBytes(frame))
    this.frames.push({ link, to: other(link, from), frame })
  }

  /** Control frames arrive at once, in order; what they take of the link delays the next transfer. */
  deliverFrames() {
    for (let next = this.frames.shift(); next !== undefined; next = this.frames.shift())
      this.nodes[next.to].control(next.link.id, next.frame, this.now)
  }

  /** What one of two neighbours has missed is made good: whoever was told anything may have something to give. */
  compare() {
    for (const node of this.nodes) node.compareAgain(this.now)
    for (const { link, to } of this.frames) for (const node of [to, other(link, to)]) this.dirty.add(node)
    this.deliverFrames()
  }

  run() {
    const { contacts, messages, meta } = this.trace
    const last = meta.duration_s * TICKS_PER_S
    let contact = 0
    let message = 0
    let check = EXPIRY_CHECK_TICKS
    let compare = COMPARE_TICKS
    for (;;) {
      const next = Math.min(
        contacts[contact]?.tick ?? Infinity,
        messages[message]?.tick ?? Infinity,
        check,
        compare,
        this.nextEnd(),
        this.nextDirty(),
      )
      if (next > last) break
      this.tick = next
      for (; messages[message]?.tick === next; message += 1) this.create(messages[message])
      for (; contacts[contact]?.tick === next; contact += 1) this.change(contacts[contact])
      if (next === compare) {
        this.compare()
        compare += COMPARE_TICKS
      }
      this.serve()
      this.shedNow()
      if (next === check) {
        for (const node of this.nodes) node.expire(this.now)
        check += EXPIRY_CHECK_TICKS
      }
    }
    return this.tally
  }

  nextEnd() {
    let next = Infinity
    for (const tick of this.ending.keys()) if (tick < next) next = tick
    return next
  }

  nextDirty() {
    return this.dirty.size > 0 ? this.tick + 1 : Infinity
  }

  create({ id, from, to, bytes }) {
    const { cureKey, ...identity } = identityOf(id)
    const expiresAt = this.now + this.trace.meta.ttl_s * 1_000
    // Each contact knows another address of the recipient.
    const address = this.addresses[to][from % this.addresses[to].length]
    const header = { ...identity, address, expiresAt, priority: 1, bytes }
    // What is to or from an adversary is its own affair.
    if (!this.hostile.has(from) && !this.hostile.has(to)) this.tally.created(header.key, { at: this.tick, cureKey })
    else if (this.hostile.size > 0) return
    this.nodes[from].originate(header, this.now)
    this.deliverFrames()
    this.touch(from)
  }

  change(contact) {
    if (contact.up) {
      if (!this.mayAttach(contact)) return
      const link = this.radio.up(contact)
      for (const node of [link.a, link.b])
        this.nodes[node].linkUp({ link: link.id, peer: `${other(link, node)}`, bandwidth: link.bps }, this.now)
      this.deliverFrames()
      this.touch(link.a)
      this.touch(link.b)
      return
    }
    const link = this.radio.find(contact)
    if (link !== undefined) this.end(link)
  }

  end(link) {
    if (link.transfer !== undefined) this.settle(link.transfer)
    this.radio.down(link)
    for (const node of [link.a, link.b]) this.nodes[node].linkDown(link.id, this.now)
  }

  /** What a node has, or has stopped doing, matters to it and to those it is linked to. */
  touch(node) {
    this.dirty.add(node)
    for (const link of this.radio.linksOf[node].values()) this.dirty.add(other(link, node))
  }

  /** Lets transfers end that end now, and idle nodes begin new ones; a sender that has ended one goes on at once. */
  serve() {
    const ended = this.ending.get(this.tick) ?? []
    this.ending.delete(this.tick)
    const turn = this.shuffled([...new Set([...ended.map(({ sender }) => sender), ...this.dirty])])
    this.dirty.clear()
    for (const node of turn) {
      const transfer = this.radio.busy.get(node)
      if (transfer?.end === this.tick && transfer.sender === node) this.settle(transfer)
      if (!this.radio.isBusy(node)) this.begin(node)
    }
  }

  shuffled(list) {
    for (let at = list.length - 1; at > 0; at -= 1) {
      const from = Math.floor(this.random.uniform() * (at + 1))
      ;[list[at], list[from]] = [list[from], list[at]]
    }
    return list
  }

  /** Own bundles for a neighbour first, then what neighbours hold for this node, then what is to be carried. */
  begin(node) {
    const links = this.radio.freeLinks(node)
    if (links.length === 0) return
    if (this.offer(node, () => this.nodes[node].deliverable(links, this.now))) return
    for (const id of links) {
      const holder = other(this.radio.links.get(id), node)
      if (this.offer(holder, () => this.nodes[holder].deliverable([id], this.now))) return
    }
    this.offer(node, () => this.nodes[node].carriable(links, this.now))
  }

  /** Offers what `choose` names until one offer is taken. */
  offer(sender, choose) {
    const choice = choose()
    if (choice === undefined) return false
    const link = this.radio.links.get(choice.link)
    const answer = this.admit(other(link, sender), sender, choice.bundle)
    this.deliverFrames()
    this.radio.control(link, spokenBytes(choice.bundle, answer.kind))
    if (answer.kind !== 'welcome') {
      this.nodes[sender].refused(choice, answer.kind)
      if (answer.kind !== 'no-room') this.useless(link, other(link, sender), 1)
      if (this.shed.has(link)) return false
      return this.offer(sender, choose)
    }
    this.nodes[sender].began(choice)
    const transfer = this.radio.begin(link, sender, { bundle: choice.bundle, bytes: choice.bundle.bytes - answer.offset, tick: this.tick })
    this.ending.set(transfer.end, [...(this.ending.get(transfer.end) ?? []), transfer])
    return true
  }

  /** Whether a bundle may come, as the driver of a node answers it. */
  admit(receiver, sender, bundle) {
    const store = this.stores[receiver]
    const isFor = this.addresses[receiver].includes(bundle.address)
    const { key, bytes } = bundle
    if (this.quotas && !isFor && !store.has(key) && !store.hasRoomFrom(`${sender}`, bytes)) return { kind: 'no-room' }
    return this.nodes[receiver].admit(bundle, this.now, `${sender}`)
  }

  settle(transfer) {
    const across = this.radio.end(transfer, this.tick)
    const { sender, receiver, bundle, link } = transfer
    const whole = transfer.end <= this.tick
    this.touch(sender)
    this.touch(receiver)
    if (whole) this.complete(transfer)
    else {
      this.ending.set(
        transfer.end,
        (this.ending.get(transfer.end) ?? []).filter((each) => each !== transfer),
      )
      this.nodes[sender].broken({ link: link.id, bundle })
      this.nodes[receiver].partial(bundle, across)
    }
    this.deliverFrames()
  }

  complete({ sender, receiver, bundle, link }) {
    const handover = this.nodes[sender].finished({ link: link.id, bundle })
    if (this.quotas) this.stores[receiver].expect(bundle.key, `${sender}`)
    const arrived = this.nodes[receiver].received(handover, link.id, this.now)
    if (this.quotas) this.stores[receiver].forget(bundle.key)
    this.allowances[receiver].useful(`${sender}`)
    this.tally.relayed()
    if (!arrived || this.hostile.has(receiver)) return
    const cureKey = this.tally.delivered(bundle.key, { at: this.tick, hops: handover.hops })
    this.nodes[receiver].cure(cureKey, bundle.expiresAt, this.now)
  }
}

/** A policy that says it has news of everybody, as fresh as can be. */
function boastful(policy, addresses) {
  policy.prospects = () => new Map(addresses.map((address) => [address, 0]))
  return policy
}
