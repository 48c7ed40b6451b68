/** The map of the network, drawn by Cytoscape. Loaded when it is shown; what it shows stands beside it in words. */
import cytoscape, { type Core, type ElementDefinition, type StylesheetJson } from 'cytoscape'
import { useEffect, useRef } from 'react'
import type { GraphNode, NetworkGraph } from './graph.ts'

const COLOURS = { self: '--ink', contact: '--contact', stranger: '--quiet', relay: '--ink' } as const

export function NetworkMap({ graph, you, somebody }: { readonly graph: NetworkGraph; readonly you: string; readonly somebody: string }) {
  const place = useRef<HTMLDivElement>(null)
  const drawn = useRef<Core>(undefined)
  useEffect(() => {
    if (place.current === null) return undefined
    const core = cytoscape({
      container: place.current,
      style: styleOf(place.current),
      userZoomingEnabled: false,
      boxSelectionEnabled: false,
    })
    drawn.current = core
    return () => core.destroy()
  }, [])
  useEffect(() => {
    if (drawn.current !== undefined) draw(drawn.current, elementsOf(graph, { you, somebody }))
  }, [graph, you, somebody])
  return (
    <div aria-hidden="true" className="relative h-80 w-full overflow-hidden">
      {/* Cytoscape leaves out its own style element, which the page's policy forbids, where one of this id stands. */}
      <span id="__________cytoscape_stylesheet" hidden />
      <div ref={place} className="absolute inset-0" />
    </div>
  )
}

function labelOf({ name, kind }: GraphNode, { you, somebody }: { readonly you: string; readonly somebody: string }): string {
  if (kind === 'self') return you
  if (kind === 'relay') return URL.parse(name)?.host ?? name
  return name === '' ? somebody : name
}

function elementsOf({ nodes, edges }: NetworkGraph, words: { readonly you: string; readonly somebody: string }): ElementDefinition[] {
  return [
    ...nodes.map(({ id, name, kind }) => ({
      data: { id, kind, label: labelOf({ id, name, kind }, words) },
    })),
    ...edges.map(({ from, to, kind, hops }) => ({
      data: { id: `${from} ${to}`, source: from, target: to, kind, label: hops > 1 ? `${hops}` : '' },
    })),
  ]
}

/** What stays keeps its place; the layout runs only when something has come or gone. */
function draw(core: Core, elements: readonly ElementDefinition[]): void {
  const wanted = new Set(elements.map(({ data }) => data.id))
  const before = core.elements().map((element) => element.id())
  core.remove(core.elements().filter((element) => !wanted.has(element.id())))
  for (const element of elements) {
    const known = core.getElementById(element.data.id ?? '')
    if (known.empty()) core.add(element)
    else known.data(element.data)
  }
  const isSame = before.length === wanted.size && before.every((id) => wanted.has(id))
  if (!isSame)
    core.layout({ name: 'cose', animate: false, randomize: before.length === 0, padding: 30, nodeDimensionsIncludeLabels: true }).run()
}

function styleOf(element: HTMLElement): StylesheetJson {
  const style = getComputedStyle(element)
  const colour = (name: string): string => style.getPropertyValue(name).trim() || style.color
  const text = {
    label: 'data(label)',
    color: style.color,
    'font-size': 12,
    'text-valign': 'bottom',
    'text-margin-y': 4,
    'text-wrap': 'ellipsis',
    'text-max-width': '110px',
  } as const
  return [
    { selector: 'node', style: { ...text, width: 22, height: 22 } },
    ...Object.entries(COLOURS).map(([kind, name]) => ({ selector: `node[kind = "${kind}"]`, style: { 'background-color': colour(name) } })),
    { selector: 'node[kind = "relay"]', style: { shape: 'rectangle' } },
    { selector: 'edge', style: { label: 'data(label)', color: style.color, 'font-size': 10, width: 2, 'line-color': colour('--line') } },
    { selector: 'edge[kind = "relayed"], edge[kind = "route"]', style: { 'line-style': 'dashed' } },
    { selector: 'edge[kind = "carried"]', style: { 'line-style': 'dotted' } },
    { selector: 'edge[kind = "mesh"]', style: { 'line-color': colour('--good'), width: 3 } },
  ]
}
