/** For a host that serves the interface on this machine and runs the client behind it. */
export { eventView } from './client/api/views.ts'
export { serveWebSocket } from './client/host/serve-web-socket.ts'
export { systemClock } from './platform/clock.ts'
