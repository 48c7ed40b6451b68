/** From what the client knows of the network to nodes and edges: pure, and the same for the drawing and for tests. */
import type { MeshView, PeerView, StatusView } from '@skein/node/browser'

export interface GraphNode {
  readonly id: string
  /** Empty for somebody whose name is not known. */
  readonly name: string
  readonly kind: 'self' | 'contact' | 'stranger' | 'relay'
}

export interface GraphEdge {
  readonly from: string
  readonly to: string
  readonly kind: 'mesh' | 'direct' | 'relayed' | 'route' | 'carried'
  /** Hops behind it; 1 for a connection. */
  readonly hops: number
}

export interface NetworkGraph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

export interface NetworkKnowledge {
  readonly status: StatusView
  readonly peers: readonly PeerView[]
  readonly mesh: MeshView | undefined
}

export function networkGraph({ status, peers, mesh }: NetworkKnowledge): NetworkGraph {
  const nodes = new Map<string, GraphNode>([[status.device, { id: status.device, name: status.name, kind: 'self' }]])
  const edges = new Map<string, GraphEdge>()
  /** Contacts that a node stands for. */
  const shown = new Set<string | null>()
  const addNode = (node: GraphNode): void => {
    const known = nodes.get(node.id)
    if (known === undefined || (known.name === '' && node.name !== '')) nodes.set(node.id, node)
  }
  const addEdge = (edge: GraphEdge): void => {
    const name = [edge.from, edge.to].toSorted().join(' ')
    if (!edges.has(name)) edges.set(name, edge)
  }
  for (const { device, name, contact } of mesh?.neighbours ?? []) {
    shown.add(contact)
    addNode({ id: device, name, kind: contact === null ? 'stranger' : 'contact' })
    addEdge({ from: status.device, to: device, kind: 'mesh', hops: 1 })
  }
  const joined = status.relays.filter(({ connected }) => connected).map(({ url }) => url)
  for (const url of joined) {
    addNode({ id: url, name: url, kind: 'relay' })
    addEdge({ from: status.device, to: url, kind: 'direct', hops: 1 })
  }
  for (const peer of peers) addPeer(peer, joined[0])
  for (const { contact, name, ways } of mesh?.routes ?? []) {
    const [way] = ways
    if (contact === null || way === undefined || way.hops < 2) continue
    shown.add(contact)
    addNode({ id: contact, name, kind: 'contact' })
    addEdge({ from: way.device, to: contact, kind: 'route', hops: way.hops - 1 })
  }
  // Whom nothing leads to, and for whom something is carried all the same.
  for (const { contact, name, own } of mesh?.carried ?? []) {
    if (contact === null || !own || shown.has(contact)) continue
    shown.add(contact)
    addNode({ id: contact, name, kind: 'contact' })
    addEdge({ from: status.device, to: contact, kind: 'carried', hops: 1 })
  }
  return { nodes: [...nodes.values()], edges: [...edges.values()].filter(({ from, to }) => nodes.has(from) && nodes.has(to)) }

  function addPeer({ device, name, contact, path }: PeerView, relay: string | undefined): void {
    if (path === 'none' || path === 'mesh') return
    shown.add(contact)
    addNode({ id: device, name, kind: contact === null ? 'stranger' : 'contact' })
    const over = path === 'relayed' ? relay : undefined
    addEdge({ from: over ?? status.device, to: device, kind: path === 'relayed' ? 'relayed' : 'direct', hops: 1 })
  }
}
